import { contentName } from "@heddle/base";
import { openExecutor } from "@heddle/executor";
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { networkOf } from "./architecture.ts";
import { checkModel } from "../step/check.ts";
import { moduleModel, temporaryFiles } from "../fixtures/module.ts";
import { tinyModel } from "../fixtures/tiny.ts";
import { packModule } from "./module.ts";

const write = temporaryFiles();

/** A module of one file whose `build` has this body; `tf`, `inputs` and `context` are at hand. */
function oneFile(
  build: string,
  more = "",
  parameters = "{ w: { shape: [2, 1], start: 'he' } }",
): string {
  const text = `import { defineArchitecture } from "@heddle/sdk/architecture";
${more}
export const architecture = defineArchitecture({
  parameters: () => (${parameters}) as never,
  build: (tf, inputs, context) => { ${build} },
});`;
  return join(write({ "net.ts": text }), "net.ts");
}
const logits = "const logits = tf.matMul(inputs.numeric, inputs.parameters.w);";

test("a module is kept as the texts it was written in, with all it imports, and nothing else of its folder", () => {
  const { architecture } = moduleModel();
  const module = architecture.kind === "module" ? architecture.module : "";
  assert.ok(typeof module === "object");
  assert.equal(module.entry, "normal-net.ts");
  assert.deepEqual(Object.keys(module.files).sort(), ["normal-net.ts", "parts/layer.ts"]);
  assert.match(module.files["parts/layer.ts"] ?? "", /ParameterSpec/);
});

test("a changed file is packed anew in the same process, and has another name", () => {
  const file = oneFile(`${logits} return { logits };`);
  const before = packModule("m", file);
  const text = before.files["net.ts"] ?? "";
  assert.equal(contentName(packModule("m", file)), contentName(before));
  writeFileSync(file, text.replace("[2, 1]", "[2, 3]"));
  const after = packModule("m", file);
  assert.notEqual(contentName(after), contentName(before));
  const shape = (module: typeof after) =>
    networkOf(tinyModel({ kind: "module", dimension: 3, module })).parameters[0]?.[1].shape;
  assert.deepEqual(
    [shape(before), shape(after)],
    [
      [2, 1],
      [2, 3],
    ],
  );
});

test("a module that does not load is refused with its place", () => {
  const refused = (file: string, message: RegExp, reason = "MODULE_BROKEN") =>
    assert.throws(() => packModule("shop", file), { code: "INVALID_ARGUMENT", reason, message });
  refused(join(write({}), "absent.ts"), /module .*absent\.ts of model shop/);
  refused(oneFile("return {"), /net\.ts/);
  refused(oneFile("return {};", "throw new Error('not today');"), /net\.ts:2: not today/);
  refused(oneFile("return {};", 'import "node:fs";'), /net\.ts imports "node:fs": .*relative path/);
  refused(oneFile("return {};", 'import "lodash";'), /imports "lodash"/);
  refused(oneFile("return {};", 'import "./gone.ts";'), /imports "\.\/gone\.ts"/);
  refused(oneFile("return {};", 'import "../../../../etc/passwd";'), /imports/);
  const without = join(write({ "net.ts": "export const net = 1;" }), "net.ts");
  refused(without, /exports no architecture: write export const architecture/);
  const large = oneFile("return {};", `// ${"x".repeat(300_000)}`);
  refused(large, /1 files of 300\d{3} bytes; at most 64 of 262144 bytes/, "MODULE_TOO_LARGE");
});

const executor = await openExecutor({ kind: "auto" });
const check = (file: string) =>
  checkModel(
    tinyModel({ kind: "module", dimension: 3, module: packModule("tiny", file) }),
    executor,
  );

test("a network that cannot work is refused with what is wrong", async () => {
  const refused = (file: string, reason: string, message: RegExp) =>
    assert.rejects(check(file), { code: "INVALID_ARGUMENT", reason, message });
  const failed = (build: string, message: RegExp) =>
    refused(oneFile(build), "STEP_FAILED", message);
  await failed("throw new Error('no idea');", /step "tiny train" failed .*: no idea/);
  await failed("return {};", /build gives no logits/);
  await failed(`${logits} return { logits: tf.sum(logits) };`, /logits .* shape \[\] for 2 rows/);
  await failed("return { logits: tf.sum(inputs.wide, 1) };", /not depend on parameter "w"/);
  await failed(`${logits} return { logits, updates: { w: logits } };`, /"w", which is no moving/);
  await failed(
    `${logits} return { logits: context.training ? logits : tf.tile(logits, [2, 1]) };`,
    /step "tiny predict" failed .*shape \[4,1\] for 2 rows/,
  );
  const infinite = `${logits} return { logits: tf.log(tf.sub(logits, logits)) };`;
  await refused(
    oneFile(infinite),
    "ARCHITECTURE_NOT_FINITE",
    /gives (NaN|-?Infinity) in its output/,
  );
  const notProbable = `${logits} return { logits, predictions: tf.add(tf.exp(logits), 1) };`;
  await refused(oneFile(notProbable), "ARCHITECTURE_NOT_FINITE", /probabilities, from 0 to 1/);
  const inPrediction = `${logits} return { logits: tf.dropout(logits, 0.5) };`;
  await refused(oneFile(inPrediction), "STEP_INPUT", /"tiny predict" draws random numbers/);
});

test("parameters that cannot be are refused by name", async () => {
  for (const [parameters, message] of [
    ["{ label: { shape: [1], start: 'zeros' } }", /"label" has the name of an input/],
    ["{ 'a b': { shape: [1], start: 'zeros' } }", /"a b" should be named by letters/],
    ["{ w: { start: 'zeros' } }", /"w" has no shape/],
    ["{ w: { shape: [0, 1], start: 'zeros' } }", /"w" has shape \[0,1\]/],
    ["{ w: { shape: [1], start: 'random' } }", /"w" starts with "random": expected zeros, ones/],
    [
      "{ w: { shape: [1], start: 'zeros', optimizer: { kind: 'sgd', rate: 0 } } }",
      /"w" has optimizer .*rate above 0/,
    ],
    ["{ w: { shape: [1], start: 'zeros', moving: { momentum: 1 } } }", /momentum 1: expected/],
    ["(() => { throw new Error('odd'); })()", /parameters threw: Error: odd/],
  ] as const) {
    await assert.rejects(check(oneFile("return {};", "", parameters)), {
      reason: "ARCHITECTURE_INVALID",
      message,
    });
  }
});

test("a network that reads values in JavaScript runs op by op, and says why; others run as a graph", async () => {
  const graph = await check(oneFile(`${logits} return { logits };`));
  assert.equal(graph.fallbackReason, undefined);
  assert.match(graph.description, /^onnx .*graph/);
  const reading = `${logits} return { logits: logits.dataSync()[0] > 0 ? logits : tf.neg(logits) };`;
  const opByOp = await check(oneFile(reading));
  assert.match(opByOp.description, /op by op/);
  assert.match(opByOp.fallbackReason ?? "", /reads the value of/);
});
