import assert from "node:assert/strict";
import { test } from "node:test";
import { architectureText } from "./architecture.ts";
import { readDefinition } from "./definition.ts";
import { definition } from "../fixtures/definition.ts";

function refused(change: Record<string, unknown>, message: RegExp): void {
  assert.throws(() => readDefinition(JSON.stringify({ ...definition, ...change })), {
    code: "INVALID_ARGUMENT",
    reason: "DEFINITION_INVALID",
    message,
  });
}

test("a definition's name depends on what it says, not on how it is written", () => {
  const { configuration } = readDefinition(JSON.stringify(definition));
  const { name, ...rest } = definition;
  assert.equal(
    readDefinition(JSON.stringify({ ...rest, name }, null, 2)).configuration,
    configuration,
  );
  const other = readDefinition(JSON.stringify({ ...definition, purpose: "ads" }));
  assert.notEqual(other.configuration, configuration);
});

test("an unknown key is named with its path and the nearest known key", () => {
  const { optimizer, ...training } = definition.training;
  refused(
    { training: { ...training, optimizer: { ...optimizer, denserate: 1 } } },
    /model definition shop-ranking: training\.optimizer: unknown key "denserate"; did you mean "denseRate"\?/,
  );
  refused({ slises: [] }, /unknown key "slises"; did you mean "slices"\?/);
});

test("an unknown key deep in an expression is found, too", () => {
  const scale = { op: "scale", of: { op: "value", feature: "price" }, factr: 2, factor: 1 };
  refused(
    { inputs: [{ name: "price", kind: "numeric", of: { op: "log1p", of: scale } }] },
    /inputs\.0\.of\.of: unknown key "factr"; did you mean "factor"\?/,
  );
});

test("what cannot be trained is refused where it stands", () => {
  const input = definition.inputs[0];
  refused({ inputs: [] }, /inputs/);
  refused({ inputs: [input, input] }, /inputs: expected each input name once/);
  refused({ views: ["product"] }, /views\.0: expected name@version/);
  refused({ name: "Shop Ranking" }, /name: expected up to 64 of a–z/);
  refused({ slices: [{ name: "x" }] }, /slices\.0: expected either by or where/);
  refused({ training: { ...definition.training, batchSize: 0 } }, /training\.batchSize/);
  refused(
    { training: { ...definition.training, batchSize: 65_537 } },
    /training\.batchSize: .*65536/,
  );
  refused({ training: { ...definition.training, microBatches: 0 } }, /training\.microBatches/);
  const mode = { kind: "bounded", staleness: 4, inFlight: 2 };
  assert.ok(
    readDefinition(JSON.stringify({ ...definition, training: { ...definition.training, mode } })),
  );
  refused(
    { training: { ...definition.training, mode: { ...mode, inFlight: 0 } } },
    /training\.mode\.inFlight/,
  );
  const aged = (rowAge: number) => ({
    training: { ...definition.training, mode: { ...mode, rowAge } },
  });
  assert.ok(readDefinition(JSON.stringify({ ...definition, ...aged(3) })));
  refused(aged(4), /training\.mode: expected rowAge to be at most staleness less/);
  refused(aged(-1), /training\.mode\.rowAge/);
  refused(
    { training: { ...definition.training, mode, microBatches: 2 } },
    /training: expected no microBatches in bounded mode/,
  );
  const earlyStopping = { patience: 2, minDelta: 0.001 };
  assert.ok(
    readDefinition(
      JSON.stringify({ ...definition, training: { ...definition.training, earlyStopping } }),
    ),
  );
  for (const [change, message] of [
    [{ patience: 0 }, /training\.earlyStopping\.patience/],
    [{ minDelta: -1 }, /training\.earlyStopping\.minDelta/],
    [{ patiense: 1 }, /training\.earlyStopping: unknown key "patiense"; did you mean "patience"/],
  ] as const) {
    const stopping = { ...earlyStopping, ...change };
    refused({ training: { ...definition.training, earlyStopping: stopping } }, message);
  }
  refused(
    { training: { ...definition.training, mode, earlyStopping } },
    /training: expected no earlyStopping in bounded mode/,
  );
  const from = "0123456789abcdef".repeat(4);
  const transfer = { from, tables: ["embeddings"], dense: ["deep0"] };
  const withTransfer = (change: object, more = {}) => ({
    training: { ...definition.training, ...more, transfer: { ...transfer, ...change } },
  });
  const partly = withTransfer({ frozen: ["deep0_weights", "embeddings"] });
  assert.ok(readDefinition(JSON.stringify({ ...definition, ...partly })));
  refused(withTransfer({ from: "v1" }), /training\.transfer\.from: expected the 64 hexadecimal/);
  refused(
    withTransfer({ frozen: ["deep1"] }),
    /expected frozen to name only what tables and dense/,
  );
  refused(withTransfer({ tables: undefined, dense: undefined }), /expected tables, dense or both/);
  const separate = {
    kind: "separate",
    embeddings: { kind: "ftrl", rate: 0.1, beta: 1, l1: 0, l2: 0 },
    dense: { kind: "sgd", rate: 0.1 },
  };
  refused(withTransfer({}, { optimizer: separate }), /no transfer of a table that ftrl trains/);
  const frozenTable = withTransfer({ frozen: ["embeddings"] }, { optimizer: separate });
  assert.ok(readDefinition(JSON.stringify({ ...definition, ...frozenTable })));
  refused({ training: { ...definition.training, precision: "half" } }, /training\.precision/);
  const bounds = { op: "bucketise", of: { op: "value", feature: "price" }, bounds: [2, 2] };
  refused(
    { inputs: [{ name: "p", kind: "embedding", of: bounds }] },
    /inputs\.0\.of\.bounds: expected bounds in ascending order/,
  );
});

test("a module is kept by its sources, whose text is part of the configuration's name", () => {
  const named = (files: object, entry = "net.ts", more = {}): string =>
    readDefinition(
      JSON.stringify({
        ...definition,
        architecture: { kind: "module", dimension: 4, module: { entry, files }, ...more },
      }),
    ).configuration;
  const name = named({ "net.ts": "export {}" });
  assert.equal(named({ "net.ts": "export {}" }), name);
  assert.notEqual(named({ "net.ts": "export { }" }), name);
  assert.notEqual(named({ "net.ts": "export {}" }, "net.ts", { settings: { width: 1 } }), name);
  const refusals: [files: object, message: RegExp, entry?: string][] = [
    [{ "net.ts": "" }, /module: expected the entry among the files/, "other.ts"],
    [{ "net.ts": "", "../net.ts": "" }, /\.\.\/net\.ts: expected a relative path/],
    [{ "net.ts": "x".repeat(300_000) }, /at most 64 files of 262144 bytes/],
  ];
  for (const [files, message, entry] of refusals) {
    assert.throws(() => named(files, entry), { reason: "DEFINITION_INVALID", message });
  }
  const architecture = { kind: "module", dimension: 4, module: "./net.ts" };
  refused({ architecture }, /heddle apply puts them in the place of its path/);
});

test("a short-term model has a share between none and all, and update rules of its own", () => {
  const { optimizer } = definition.training;
  const alone = readDefinition(JSON.stringify(definition)).configuration;
  for (const shortTerm of [{}, { share: 0.25 }, { optimizer }]) {
    const both = { ...definition, shortTerm };
    assert.notEqual(readDefinition(JSON.stringify(both)).configuration, alone);
    assert.equal(
      architectureText(both),
      `${definition.architecture.kind}, long-term and short-term`,
    );
  }
  refused({ shortTerm: { share: 0 } }, /shortTerm\.share/);
  refused({ shortTerm: { share: 1 } }, /shortTerm\.share/);
  refused({ shortTerm: { optimiser: optimizer } }, /did you mean "optimizer"/);
});

test("every architecture of ours is accepted", () => {
  for (const architecture of [
    { kind: "dlrm", dimension: 4, bottom: [8], hidden: [8] },
    { kind: "factorisation-machine", dimension: 4 },
  ]) {
    assert.ok(readDefinition(JSON.stringify({ ...definition, architecture })).configuration);
  }
});

test("an update rule is one that exists, with numbers that make sense, for rows and for dense parameters", () => {
  const adam = { kind: "adam", rate: 0.001, beta1: 0.9, beta2: 0.999 };
  const ftrl = { kind: "ftrl", rate: 0.1, beta: 1, l1: 0.1, l2: 0 };
  const withRules = (embeddings: object, dense: object) => ({
    training: { ...definition.training, optimizer: { kind: "separate", embeddings, dense } },
  });
  const accepted = readDefinition(JSON.stringify({ ...definition, ...withRules(ftrl, adam) }));
  assert.deepEqual(accepted.definition.training.optimizer, {
    kind: "separate",
    embeddings: ftrl,
    dense: adam,
  });
  refused(withRules(adam, ftrl), /training\.optimizer\.dense\.kind/);
  refused(withRules({ ...adam, beta1: 1 }, adam), /training\.optimizer\.embeddings\.beta1/);
  refused(withRules(adam, { ...adam, epsilon: 0 }), /training\.optimizer\.dense\.epsilon/);
  refused(withRules({ ...ftrl, beta: 0 }, adam), /training\.optimizer\.embeddings\.beta/);
  refused(withRules({ kind: "rowwise-adagrad", rate: 1 }, adam), /embeddings\.initialAccumulator/);
});

test("how rows are kept is optional, and absent from a definition that says nothing of it", () => {
  const withRows = (rows: object) => ({ training: { ...definition.training, rows } });
  const { training } = readDefinition(JSON.stringify(definition)).definition;
  assert.ok(!("rows" in training));
  const half = readDefinition(
    JSON.stringify({ ...definition, ...withRows({ storage: "bfloat16" }) }),
  );
  assert.deepEqual(half.definition.training.rows, { storage: "bfloat16" });
  const byte = readDefinition(JSON.stringify({ ...definition, ...withRows({ wire: "int8" }) }));
  assert.deepEqual(byte.definition.training.rows, { wire: "int8" });
  refused(withRows({ storage: "float16" }), /training\.rows\.storage/);
  refused(withRows({ wire: "int4" }), /training\.rows\.wire/);
  refused(withRows({ admission: { probability: 0 } }), /training\.rows\.admission\.probability/);
  refused(withRows({ admission: { probability: 1.5 } }), /training\.rows\.admission\.probability/);
  refused(withRows({ admission: { count: 1 } }), /training\.rows\.admission\.count/);
  refused(withRows({ admission: { count: 2.5 } }), /rows\.admission: .*a whole number/);
  refused(withRows({ admission: { count: 2, probability: 0.5 } }), /either \{ probability \}/);
  refused(withRows({ admission: {} }), /either \{ probability \}/);
  refused(withRows({ expiry: { steps: 0 } }), /training\.rows\.expiry\.steps/);
  refused(withRows({ expiry: { steps: 5e9 } }), /training\.rows\.expiry\.steps/);
});

test("what is not JSON is refused with its remedy", () => {
  assert.throws(() => readDefinition("{"), {
    reason: "DEFINITION_INVALID",
    message: /is not JSON/,
  });
  assert.throws(() => readDefinition("null"), { reason: "DEFINITION_INVALID" });
});
