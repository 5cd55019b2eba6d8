import assert from "node:assert/strict";
import { once } from "node:events";
import { before, test } from "node:test";
import { contentName, present } from "@heddle/base";
import { openFileObjects } from "@heddle/objects";
import type { ModelDefinition, Training } from "@heddle/sdk";
import { sample } from "@heddle/testkit";
import { readParameters } from "../cuts/snapshot.ts";
import { type AttemptInput, attempt } from "../fixtures/attempt.ts";
import { memoryReader, tinyDefinition } from "../fixtures/data.ts";
import { startLearner, trainTogether } from "../fixtures/gang.ts";
import { lastSnapshot } from "../fixtures/last-snapshot.ts";
import { openWorld } from "../fixtures/world.ts";

type Transfer = Omit<NonNullable<Training["transfer"]>, "from">;

/** One layer more than the source has, and other update rules. */
function child(
  from: string,
  transfer: Transfer,
  change: Partial<ModelDefinition> = {},
): ModelDefinition {
  const optimizer = {
    kind: "separate",
    embeddings: { kind: "rowwise-adagrad", rate: 0.1, initialAccumulator: 0.1 },
    dense: { kind: "adam", rate: 0.01, beta1: 0.9, beta2: 0.999 },
  } as const;
  return {
    ...tinyDefinition({ optimizer, microBatches: 2, transfer: { from, ...transfer } }),
    name: "child",
    architecture: { kind: "wide-and-deep", dimension: 3, hidden: [4, 2] },
    ...change,
  };
}

/** A trained source, and a world whose model is made of its version, over the same objects. */
async function openPair(shards: number, definitionOf: (from: string) => ModelDefinition) {
  const stack = new AsyncDisposableStack();
  const world = stack.use(await openWorld(tinyDefinition(), shards));
  const source = await attempt(world.input(1), memoryReader());
  await world.loseShards();
  const open = async (definition: ModelDefinition) => {
    const other = stack.use(await openWorld(definition, 0));
    for (const [name, made] of world.remembered.versions) {
      other.remembered.versions.set(name, made);
    }
    const { services } = other.input(1);
    const configuration = contentName(definition);
    const input = (fence: number): AttemptInput => ({
      ...world.input(fence),
      ...{ services, configuration },
    });
    return { input, other };
  };
  const { input, other } = await open(definitionOf(source.version));
  const objects = await openFileObjects({ path: world.objects });
  const endOf = async ({ remembered }: typeof world, run: string) => {
    const { layers } = await lastSnapshot({ remembered, objects: world.objects }, run);
    return readParameters(objects, layers[0]?.files ?? []);
  };
  return {
    ...{ world, source, input, other, objects, open, endOf },
    sourceEnd: () => endOf(world, source.run),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const all: Transfer = { tables: ["embeddings"], dense: ["deep0"] };
const frozen: Transfer = { ...all, frozen: ["embeddings", "deep0_weights"] };
const bytes = (values: Float32Array | undefined) =>
  Buffer.from(present(values, "values").slice().buffer);

test("what is frozen ends with the bytes of the version it is from, and all else is trained", async () => {
  await using pair = await openPair(2, (from) => child(from, frozen));
  const { run, version } = await attempt(pair.input(2), memoryReader());
  const summary = pair.other.remembered.versions.get(version)?.training?.transfer;
  assert.deepEqual([summary?.from, summary?.tables], [pair.source.version, all.tables]);
  assert.deepEqual([summary?.dense, summary?.frozen], [all.dense, frozen.frozen]);
  const [there, here] = [await pair.sourceEnd(), await pair.endOf(pair.other, run)];
  const [before, after] = [there.tables["embeddings"], here.tables["embeddings"]];
  assert.ok((before?.ids.length ?? 0) > 30);
  // Both have seen the same ids.
  assert.deepEqual(after?.ids, before?.ids);
  assert.deepEqual(bytes(after?.values), bytes(before?.values));
  assert.equal(after?.slots.length, 0, "what does not move needs no slots");
  const [was, is] = [there.dense, here.dense];
  assert.deepEqual(bytes(is["deep0_weights"]?.values), bytes(was["deep0_weights"]?.values));
  assert.notDeepEqual(bytes(is["deep0_bias"]?.values), bytes(was["deep0_bias"]?.values));
  assert.ok(is["deep1_bias"]?.values.some((value) => value !== 0));
});

test("what is taken over and not frozen is trained from the source's values with new slots", async () => {
  await using pair = await openPair(1, (from) => child(from, all));
  const killed = startLearner(pair.input(2), "learner.transfer.after-write");
  assert.deepEqual(await once(killed, "exit"), [null, "SIGKILL"]);
  const [name = ""] = (await pair.objects.list("runs/")).filter((of) => of.includes("transfer"));
  const info = present(await pair.objects.head(name), name);
  const begun = await readParameters(pair.objects, [info]);
  const there = await pair.sourceEnd();
  const table = present(begun.tables["embeddings"], "the table");
  assert.deepEqual(bytes(table.values), bytes(there.tables["embeddings"]?.values));
  assert.ok(table.slots.every((slot) => slot === Math.fround(0.1)));
  assert.equal(table.slots.length, table.ids.length);
  assert.deepEqual(begun.dense["deep0_bias"]?.values, there.dense["deep0_bias"]?.values);
  assert.ok(begun.dense["deep0_bias"]?.slots.every((slot) => slot === 0));

  const { run } = await attempt(pair.input(3), memoryReader());
  const end = await pair.endOf(pair.other, run);
  assert.notDeepEqual(end.tables["embeddings"]?.values, table.values);
  const left = (await pair.objects.list(`runs/${run}/`)).filter((of) => of.includes("transfer"));
  assert.deepEqual(left, [], "the first cut takes its place");
});

let expected: string;
async function undisturbed(learners: number, shards: number, threads = false): Promise<string> {
  await using pair = await openPair(shards, (from) => child(from, frozen));
  if (learners > 1) return await trainTogether(pair.input(2), learners);
  return (await attempt({ ...pair.input(2), threads }, memoryReader())).version;
}
before(async () => {
  expected = await undisturbed(1, 1);
});

test("two learners, three shards and threads of its own give the same version", async () => {
  assert.equal(await undisturbed(2, 3), expected);
  assert.equal(await undisturbed(1, 2, true), expected);
});

const kills = [
  ["learner.transfer.after-write", 1],
  ["learner.step.after-push@3", 3],
  ["learner.snapshot.after-record", 1],
  ["learner.step.after-push@6", 3],
  ["learner.version.before-register", 1],
] as const;
for (const [failpoint, shards] of sample(kills, 1)) {
  test(`killed at ${failpoint}, the next attempt ends with the same version`, async () => {
    await using pair = await openPair(2, (from) => child(from, frozen));
    const killed = startLearner(pair.input(2), failpoint);
    assert.deepEqual(await once(killed, "exit"), [null, "SIGKILL"]);
    await pair.world.loseShards(shards);
    assert.equal((await attempt(pair.input(3), memoryReader())).version, expected);
  });
}

const wider = { kind: "wide-and-deep", dimension: 5, hidden: [4] } as const;
for (const [what, transfer, change, message] of [
  [
    "rows of another dimension",
    all,
    { architecture: wider },
    /rows of table embeddings have 6 values here and 4 in the version/,
  ],
  [
    "a parameter of another shape",
    { dense: ["deep0"] },
    { architecture: wider },
    /deep0_weights has shape \[11, 4\] here and \[7, 4\] in the version/,
  ],
  [
    "a layer that the version has not",
    { dense: ["deep1"] },
    {},
    /the version has no dense parameter deep1_weights: there are deep0_weights, /,
  ],
  [
    "a layer that the model has not",
    { dense: ["deep"] },
    {},
    /it has no dense parameter or layer deep: there are deep0_weights, /,
  ],
  [
    "a layer of the short-term model, which begins anew each time,",
    { dense: ["short_deep0"] },
    { shortTerm: {} },
    /it has no dense parameter or layer short_deep0: there are deep0_weights, /,
  ],
  [
    "a table that nobody has",
    { tables: ["rows"] },
    {},
    /it has no table rows: there are embeddings/,
  ],
] as const) {
  test(`${what} is refused before anything is trained`, async () => {
    await using pair = await openPair(1, (from) => child(from, transfer, change));
    await assert.rejects(attempt(pair.input(2), memoryReader()), {
      code: "FAILED_PRECONDITION",
      reason: "TRANSFER_DIFFERS",
      message,
    });
  });
}

test("a long-term model takes over and keeps what is frozen, beside a short-term one that does not", async () => {
  await using pair = await openPair(1, (from) => child(from, frozen, { shortTerm: {} }));
  const { run } = await attempt(pair.input(2), memoryReader());
  const [there, here] = [await pair.sourceEnd(), await pair.endOf(pair.other, run)];
  const values = ({ tables }: typeof there, name: string) => bytes(tables[name]?.values);
  assert.deepEqual(values(here, "embeddings"), values(there, "embeddings"));
  assert.notDeepEqual(values(here, "short_embeddings"), values(there, "embeddings"));
  const weights = here.dense["deep0_weights"]?.values;
  assert.deepEqual(bytes(weights), bytes(there.dense["deep0_weights"]?.values));
  assert.ok(here.dense["short_deep0_bias"]?.values.some((value) => value !== 0));
});

test("a warm start keeps what is frozen, and is refused when the transfer changed", async () => {
  await using pair = await openPair(1, (from) => child(from, frozen));
  const first = await attempt(pair.input(2), memoryReader());
  await pair.world.loseShards();
  const next = { ...pair.input(3), parentVersion: first.version };
  const { run } = await attempt(next, memoryReader());
  const [there, here] = [await pair.sourceEnd(), await pair.endOf(pair.other, run)];
  const values = ({ tables }: typeof there) => bytes(tables["embeddings"]?.values);
  assert.deepEqual(values(here), values(there));
  for (const transfer of [all, undefined]) {
    const definition = child(pair.source.version, transfer ?? all);
    const { transfer: _, ...without } = definition.training;
    const training = transfer === undefined ? without : definition.training;
    const { input, other } = await pair.open({ ...definition, training });
    for (const [name, made] of pair.other.remembered.versions) {
      other.remembered.versions.set(name, made);
    }
    await pair.world.loseShards();
    await assert.rejects(attempt({ ...input(4), parentVersion: first.version }, memoryReader()), {
      code: "FAILED_PRECONDITION",
      reason: "TRANSFER_CHANGED",
      message: /warmStart: false/,
    });
  }
});
