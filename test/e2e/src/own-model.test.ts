import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  type Finished,
  heddle,
  heddleJson,
  startHost,
  type TemporaryFolder,
  temporaryFolder,
} from "@heddle/testkit";
import { customersProject } from "./fixtures/project.ts";

// The story of docs/guide/your-own-model.md, with the code of that page. The tests go on from each other.
const root = join(import.meta.dirname, "../../..");
const guide = readFileSync(join(root, "docs/guide/your-own-model.md"), "utf8");
const blocks = [...guide.matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1] ?? "");
const network = blocks.find((block) => block.startsWith("// network.ts")) ?? "";
const architecture = blocks.find((block) => block.startsWith("  architecture:")) ?? "";
let folder: TemporaryFolder;
let project: string;
let host: AsyncDisposable | undefined;

const run = (...args: string[]): Promise<Finished> => heddle(args, { cwd: project });
const ask = (...args: string[]) => heddleJson(args, { cwd: project });

before(async () => {
  folder = temporaryFolder("own-model");
  project = customersProject(folder);
  const from = ["--from", "customers.csv", "--label", "churned", "--time", "signed"];
  assert.equal((await run("init", ".", ...from)).code, 0);
  const file = join(project, "heddle.ts");
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace(/ {2}architecture: \{.*\},\n/, architecture));
  writeFileSync(join(project, "network.ts"), network);
  host = await startHost({ cwd: project });
});
after(async () => {
  await host?.[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

test("the guide's network type-checks against the packed SDK and TensorFlow.js", () => {
  symlinkSync(join(root, "node_modules/@tensorflow"), join(project, "node_modules/@tensorflow"));
  const strict = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--types", ""];
  const files = ["network.ts", "heddle.ts"];
  const tsc = join(root, "node_modules/.bin/tsc");
  try {
    execFileSync(tsc, [...strict, ...files], { cwd: project, stdio: "pipe", encoding: "utf8" });
  } catch (error) {
    assert.fail((error as { stdout: string }).stdout);
  }
});

test("apply says how the network will run", async () => {
  const applied = await run("apply");
  assert.equal(applied.code, 0, applied.stderr);
  assert.match(applied.stdout, /^model churn trains as onnx [\d.]+ \(graph\)$/m);
});

test("it is trained, judged, served and asked like any other", async () => {
  assert.equal((await run("ingest", "churn", "customers.csv")).code, 0);
  const trained = await run("train", "churn");
  assert.equal(trained.code, 0, trained.stdout + trained.stderr);
  assert.match(trained.stdout, /PASS .*serving, memory digest [0-9a-f]{12} verified/);
  const score = async (row: object): Promise<number> =>
    (await ask("predict", "churn", JSON.stringify(row)))["prediction"] as number;
  const leaves = await score({ months: 3, plan: "basic", spend: 20 });
  const stays = await score({ months: 50, plan: "plus", spend: null });
  assert.ok(leaves > stays + 0.3, `${leaves} and ${stays}`);
});

test("a version says how its steps ran, and serves what was applied when the file is gone", async () => {
  const { versions } = (await ask("versions", "churn")) as {
    versions: { training: { stepExecutor: string; fallbackReason: string } }[];
  };
  assert.match(versions[0]?.training.stepExecutor ?? "", /^onnx [\d.]+ \(graph\)$/);
  writeFileSync(join(project, "network.ts"), "gone");
  const row = JSON.stringify({ months: 3, plan: "basic", spend: 20 });
  assert.equal(typeof (await ask("predict", "churn", row))["prediction"], "number");
  const { nodes } = (await ask("lineage", "churn")) as { nodes: { facts?: object }[] };
  assert.match(JSON.stringify(nodes), /module network\.ts [0-9a-f]{12}/);
});

test("a network that cannot work is refused before anything is registered", async () => {
  const file = join(project, "network.ts");
  const refused = async (text: string, message: RegExp): Promise<void> => {
    writeFileSync(file, text);
    const { code, stdout, stderr } = await run("apply");
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, message);
  };
  await refused(
    network.replace("tf.relu(", "tf.relo("),
    /tf\.relo is not a function.*\[STEP_FAILED\]/s,
  );
  await refused(
    network.replace("import type", 'import "node:fs";\nimport type'),
    /network\.ts imports "node:fs".*\[MODULE_BROKEN\]/s,
  );
});

test("one that reads values trains op by op, and apply says why", async () => {
  const reading = "const sign = logits.dataSync()[0]! < -9 ? -1 : 1;\n    if (!training) return";
  writeFileSync(
    join(project, "network.ts"),
    network.replace(
      "if (!training) return { logits }",
      `${reading} { logits: tf.mul(logits, sign) }`,
    ),
  );
  const { code, stdout, stderr } = await run("apply");
  assert.equal(code, 0, stderr);
  assert.match(
    stdout,
    /^model churn trains as tfjs-\w+ [\d.]+ \(op by op\), because .*reads the value/m,
  );
});
