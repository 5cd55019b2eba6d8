import assert from "node:assert/strict";
import { test } from "node:test";
import { type DescMethod, fromBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { isHeddleError, seededRandom } from "@heddle/base";
import { connectLane, type Lane } from "@heddle/lane";
import { ParameterServerService } from "@heddle/proto/parameter-server";
import { allFinite, float32Of } from "@heddle/tensor";
import { sample } from "@heddle/testkit";
import { type Answer, answerTo, bugCodes, caseOf, knownCaseOf } from "@heddle/testkit/fuzz";
import { call, declaration, ids, openTestShard, pullOf, pushOf } from "./fixtures/test-shard.ts";

// HEDDLE_SEED gives other messages than those of the seed below.
const seed = Number(process.env["HEDDLE_SEED"] ?? 30);
const numbers = Array.from({ length: 400 }, (_, n) => n);
/** Spread so that each kind of case is among them. */
const fewCases = 20;
/** A call that has its place in the order of steps waits for it; none of these gets its turn later. */
const waitMs = 150;
const mayWait = /^(Configure|Pull|Push|Freeze|Snapshot|Rejoin|Stats)$/;
const mayPass = /^(Pull|Push|Freeze|Snapshot|Restore|OpenLane|Rejoin|Stats)$/;
/** What the run knows: the right fencing token, the next step, the table. */
const known = { fence: 1n, step: 1n, table: "rows", microBatch: 0, life: 0, keyList: 0n };
/** What a declaration must say; sizes, deviations, seeds and all else of its tables are left to chance. */
const declared = {
  ...{ run: "r", learner: 0, shard: 0, shards: 1, lag: 0, microBatches: 1, dense: [] },
  ...{ rate: 0.1, initialAccumulator: 0.1, optimizer: undefined, bounds: undefined },
  ...{ admissionProbability: 0, admissionCount: 0, expirySteps: 0 },
};
const service = ParameterServerService;

function check(method: DescMethod, what: string, { code, reason, details }: Answer): void {
  const said = `${what} of seed ${seed}: ${code} ${reason} ${details}`;
  if (code === "DEADLINE_EXCEEDED") assert.match(method.name, mayWait, said);
  else if (code === "OK") assert.match(method.name, mayPass, said);
  else {
    assert.ok(!bugCodes.includes(code), said);
    assert.match(reason, /^[A-Z][A-Z0-9_]+$/, said);
  }
}

/** What a shard has for a new attempt that begins from nothing, and does one step. */
async function firstStep({ shard }: Awaited<ReturnType<typeof openTestShard>>) {
  const fence = 2n ** 64n - 1n;
  await shard.configure(declaration(0, fence), call);
  await shard.restore({ fence }, call);
  const { rows, dense } = await shard.pull(pullOf(1, fence), call);
  const { step } = await shard.push(pushOf(1, false, fence), call);
  return { rows, dense, step, after: (await shard.pull(pullOf(2, fence), call)).rows };
}

for (const method of service.methods) {
  test(`${method.name} of a shard names what is wrong with whatever it gets, and its run goes on`, async () => {
    await using undisturbed = await openTestShard();
    await using opened = await openTestShard();
    await opened.shard.configure(declaration(), call);
    const client = new grpc.Client(opened.address, grpc.credentials.createInsecure());
    const random = seededRandom(seed).split(method.name);
    try {
      for (const n of sample(numbers, fewCases)) {
        const { what, bytes } = caseOf(method.input, random, n, known);
        check(method, what, await answerTo(client, method, bytes, waitMs));
      }
      const tooLarge = Buffer.alloc((16 << 20) + 1);
      const { code, details } = await answerTo(client, method, tooLarge, 5_000);
      assert.equal(code, "RESOURCE_EXHAUSTED", details);
    } finally {
      client.close();
    }
    assert.deepEqual(await firstStep(opened), await firstStep(undisturbed));
  });
}

test("whatever a new shard is told to configure is refused, or is a run that it serves", async () => {
  const method = service.method.configure;
  const random = seededRandom(seed).split("a new shard");
  const bytesBefore = process.memoryUsage().rss;
  let served = 0;
  for (const n of sample(numbers, 3 * fewCases)) {
    await using opened = await openTestShard();
    const client = new grpc.Client(opened.address, grpc.credentials.createInsecure());
    const { what, bytes } = knownCaseOf(method.input, random, n, declared);
    const { code, reason, details } = await answerTo(client, method, bytes, waitMs);
    client.close();
    const said = `${what} of seed ${seed}: ${code} ${reason} ${details}`;
    // One that does not lead waits for the leader.
    assert.match(
      `${code} ${reason}`,
      /^(OK |INVALID_ARGUMENT [A-Z_]+|DEADLINE_EXCEEDED .*)$/,
      said,
    );
    if (code !== "OK") continue;
    const { fence, tables } = fromBinary(method.input, bytes);
    await opened.shard.restore({ fence }, call);
    const wanted = tables.map(({ name }) => ({ table: name, ids }));
    const { rows } = await opened.shard.pull({ fence, step: 1n, tables: wanted }, call);
    assert.ok(
      rows.every((values) => allFinite(float32Of(values))),
      said,
    );
    served += wanted.length;
  }
  assert.ok(served > 0, "no table was declared as it should be");
  const grownBytes = process.memoryUsage().rss - bytesBefore;
  assert.ok(grownBytes < 256 << 20, `${grownBytes >> 20} MiB`);
});

test("Pull and Push by lane name what is wrong with whatever they get, and the lane lives on", async () => {
  await using opened = await openTestShard("unix");
  await opened.shard.configure(declaration(), call);
  const offer = await opened.shard.openLane({ fence: 1n }, call);
  await using lane = await connectLane(offer, { signal: new AbortController().signal });
  for (const method of [service.method.pull, service.method.push]) {
    const random = seededRandom(seed).split(`${method.name} by lane`);
    for (const n of sample(numbers, fewCases)) {
      const { what, bytes } = caseOf(method.input, random, n, known);
      check(method, what, await answerByLane(lane, method, bytes));
    }
  }
  assert.equal(lane.lost.aborted, false);
  await using undisturbed = await openTestShard();
  assert.deepEqual(await firstStep(opened), await firstStep(undisturbed));
});

/** As `answerTo`; bytes that are no message of the method's never come to a lane, whose callers encode them. */
async function answerByLane(
  lane: Lane,
  method: typeof service.method.pull | typeof service.method.push,
  bytes: Uint8Array,
): Promise<Answer> {
  let request;
  try {
    request = fromBinary(method.input, bytes);
  } catch {
    return { code: "INVALID_ARGUMENT", reason: "NO_MESSAGE", details: "" };
  }
  try {
    await lane.call(method as typeof service.method.pull, request as never, { timeoutMs: waitMs });
    return { code: "OK", reason: "", details: "" };
  } catch (error) {
    if (!isHeddleError(error)) throw error;
    return { code: error.code, reason: error.reason, details: error.message };
  }
}
