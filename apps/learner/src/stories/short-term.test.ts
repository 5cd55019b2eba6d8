import assert from "node:assert/strict";
import { once } from "node:events";
import { before, test } from "node:test";
import type { ParameterState } from "@heddle/artifact";
import { contentName, present } from "@heddle/base";
import { openFileObjects } from "@heddle/objects";
import type { ModelDefinition, ShortTerm } from "@heddle/sdk";
import { sample } from "@heddle/testkit";
import { readParameters } from "../cuts/snapshot.ts";
import { type AttemptInput, attempt } from "../fixtures/attempt.ts";
import { memoryReader, tinyDefinition } from "../fixtures/data.ts";
import { startLearner, trainTogether } from "../fixtures/gang.ts";
import { moduleDefinition } from "../fixtures/module.ts";
import { lastSnapshot } from "../fixtures/last-snapshot.ts";
import { openWorld } from "../fixtures/world.ts";

const faster: ShortTerm = {
  share: 0.25,
  optimizer: {
    kind: "separate",
    embeddings: { kind: "rowwise-adagrad", rate: 0.2, initialAccumulator: 0.1 },
    dense: { kind: "adam", rate: 0.02, beta1: 0.9, beta2: 0.999 },
  },
};
const plain = tinyDefinition({ lag: 1, microBatches: 2 });
const pair: ModelDefinition = { ...plain, shortTerm: faster };

/** Worlds of several definitions over one object store and the same shards. */
async function openFamily(shards: number) {
  const stack = new AsyncDisposableStack();
  const world = stack.use(await openWorld(plain, shards));
  const objects = await openFileObjects({ path: world.objects });
  const versions = new Map(world.remembered.versions);
  let fence = 0;
  const endOf = async ({ remembered }: typeof world, run: string) => {
    const { layers } = await lastSnapshot({ remembered, objects: world.objects }, run);
    return readParameters(objects, layers.at(-1)?.files ?? []);
  };
  const open = async (definition: ModelDefinition, parentVersion = "") => {
    if (fence > 0) await world.loseShards();
    const other = stack.use(await openWorld(definition, 0));
    for (const [name, made] of versions) other.remembered.versions.set(name, made);
    const { services } = other.input(1);
    const configuration = contentName(definition);
    const input = (): AttemptInput => ({
      ...world.input(++fence),
      ...{ services, configuration, parentVersion },
    });
    const train = async () => {
      const { run, version } = await attempt(input(), memoryReader());
      versions.set(version, present(other.remembered.versions.get(version), version));
      return { version, end: await endOf(other, run) };
    };
    return { input, train };
  };
  return { world, objects, open, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** What one of the two models has, under the names of a model alone; values and slots as bytes. */
function termOf({ tables, dense }: ParameterState, prefix: "" | "short_") {
  const bytes = (values: Float32Array | BigUint64Array) =>
    Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("hex");
  const own = (name: string): boolean => name.startsWith("short_") === (prefix !== "");
  const all: Record<string, readonly string[]> = {};
  for (const [name, { ids, values, slots }] of Object.entries(tables)) {
    if (own(name)) all[name.slice(prefix.length)] = [bytes(ids), bytes(values), bytes(slots)];
  }
  for (const [name, { values, slots }] of Object.entries(dense)) {
    if (own(name)) all[name.slice(prefix.length)] = [bytes(values), bytes(slots)];
  }
  return all;
}

test("the long-term model ends with the bytes of the same model trained alone, the short-term one with others", async () => {
  await using family = await openFamily(2);
  const alone = await (await family.open(plain)).train();
  const both = await (await family.open(pair)).train();
  assert.deepEqual(termOf(both.end, ""), termOf(alone.end, ""));
  const short = termOf(both.end, "short_");
  assert.deepEqual(Object.keys(short).sort(), Object.keys(termOf(alone.end, "")).sort());
  for (const [name, [values]] of Object.entries(termOf(alone.end, ""))) {
    // The ids are those of the same examples.
    if (name !== "embeddings") assert.notEqual(short[name]?.[0], values, name);
  }
});

test("a warm start continues the long-term model and begins the short-term one anew", async () => {
  await using family = await openFamily(1);
  const alone = await (await family.open(plain)).train();
  const aloneNext = await (await family.open(plain, alone.version)).train();
  const first = await (await family.open(pair)).train();
  const next = await (await family.open(pair, first.version)).train();
  assert.deepEqual(termOf(next.end, ""), termOf(aloneNext.end, ""));
  assert.notDeepEqual(termOf(next.end, ""), termOf(first.end, ""));
  // The data is the same, so it learns the same again.
  assert.deepEqual(termOf(next.end, "short_"), termOf(first.end, "short_"));
  const left = (await family.objects.list("runs/")).filter((name) => name.includes("renewal"));
  assert.deepEqual(left, [], "the first cut takes its place");
});

test("a model may begin to have a short-term one with any version, and end to have one", async () => {
  await using family = await openFamily(2);
  const alone = await (await family.open(plain)).train();
  const aloneNext = await (await family.open(plain, alone.version)).train();
  const joined = await (await family.open(pair, alone.version)).train();
  assert.deepEqual(termOf(joined.end, ""), termOf(aloneNext.end, ""));
  const first = await (await family.open(pair)).train();
  const left = await (await family.open(plain, first.version)).train();
  assert.deepEqual(termOf(left.end, ""), termOf(aloneNext.end, ""));
  assert.deepEqual(termOf(left.end, "short_"), {});
});

test("a network of the model's own has moving statistics for each of the two", async () => {
  await using family = await openFamily(1);
  const definition: ModelDefinition = { ...moduleDefinition(), shortTerm: {} };
  const { end } = await (await family.open(definition)).train();
  const of = (name: string) => present(end.dense[name], name).values;
  // Each step of n of 16 rows moves it by n / 16: 134 examples in all.
  for (const name of ["steps", "short_steps"]) {
    assert.ok(Math.abs((of(name)[0] ?? NaN) - 134 / 16) < 1e-5, name);
  }
  assert.notDeepEqual(of("norm_mean"), of("short_norm_mean"));
});

test("another architecture than the parent's is refused, as it is without a short-term model", async () => {
  await using family = await openFamily(1);
  const first = await (await family.open(pair)).train();
  const architecture = { kind: "wide-and-deep", dimension: 3, hidden: [4, 2] } as const;
  const { train } = await family.open({ ...pair, architecture }, first.version);
  await assert.rejects(train(), { code: "FAILED_PRECONDITION", reason: "SNAPSHOT_DIFFERS" });
});

/** The version of a warm start that nothing disturbs. */
async function undisturbed(
  learners: number,
  shards: number,
  how: Partial<AttemptInput> = {},
): Promise<string> {
  await using family = await openFamily(shards);
  const first = await (await family.open(pair)).train();
  const { input } = await family.open(pair, first.version);
  if (learners > 1) return await trainTogether(input(), learners);
  return (await attempt({ ...input(), ...how }, memoryReader())).version;
}
let expected: string;
before(async () => {
  expected = await undisturbed(1, 1);
});

test("two learners, three shards, threads of its own and none but the learner give the same version", async () => {
  assert.equal(await undisturbed(2, 3), expected);
  assert.equal(await undisturbed(1, 2, { threads: true }), expected);
  assert.equal(await undisturbed(1, 1, { wire: "local" }), expected);
});

const kills = [
  ["learner.renewal.after-write", 1],
  ["learner.step.after-push@3", 3],
  ["learner.snapshot.after-record", 1],
  ["learner.step.after-push@6", 3],
  ["learner.version.before-register", 1],
] as const;
for (const [failpoint, shards] of sample(kills, 1)) {
  test(`killed at ${failpoint}, the next attempt ends with the same version`, async () => {
    await using family = await openFamily(2);
    const first = await (await family.open(pair)).train();
    const { input } = await family.open(pair, first.version);
    const killed = startLearner(input(), failpoint);
    assert.deepEqual(await once(killed, "exit"), [null, "SIGKILL"]);
    await family.world.loseShards(shards);
    assert.equal((await attempt(input(), memoryReader())).version, expected);
  });
}
