import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { seededRandom } from "@heddle/base";
import { casesVariable } from "@heddle/testkit";
import fc from "fast-check";
import { tinyDefinition } from "../fixtures/data.ts";
import { trainTogether } from "../fixtures/gang.ts";
import { openWorld } from "../fixtures/world.ts";
import type { Wire } from "../wire/wire.ts";

/** An attempt at a training: who takes part, by what, how late their calls come, and after how many calls all of them are lost. */
interface Try {
  readonly learners: number;
  readonly shards: number;
  readonly wire: "lane" | "grpc";
  readonly seed: number;
  readonly calls: number;
}
const aTry = fc.record<Try>({
  learners: fc.integer({ min: 1, max: 3 }),
  shards: fc.integer({ min: 1, max: 3 }),
  wire: fc.constantFrom("lane", "grpc"),
  seed: fc.nat(),
  calls: fc.integer({ min: 1, max: 80 }),
});
const delayMsMax = 4;
const loss = new Error("the machine is lost");
const definitionOf = (lag: 0 | 1) => tinyDefinition({ lag, microBatches: 3, snapshotSteps: 2 });

/** Has each pull and push come when chance says so, and ends all at one of them. */
function disturbance({ seed, calls: left }: Pick<Try, "seed" | "calls">, over: AbortController) {
  const random = seededRandom(seed);
  let calls = 0;
  const late = async <T>(call: () => Promise<T>): Promise<T> => {
    calls += 1;
    if (calls === left) over.abort(loss);
    await sleep(random.next() * delayMsMax);
    return call();
  };
  return (wire: Wire): Wire => ({
    ...wire,
    pull: (...call) => late(() => wire.pull(...call)),
    push: (...call) => late(() => wire.push(...call)),
  });
}

test("in exact mode any learners and shards, however late their calls come and however often all are lost, end with the same bytes", async () => {
  const expected = new Map<0 | 1, string>();
  for (const lag of [0, 1] as const) {
    await using world = await openWorld(definitionOf(lag), 1);
    expected.set(lag, await trainTogether(world.input(1), 1));
  }
  const property = fc.asyncProperty(
    fc.constantFrom<0 | 1>(0, 1),
    fc.array(aTry, { minLength: 1, maxLength: 2 }),
    aTry,
    async (lag, lost, last) => {
      await using world = await openWorld(definitionOf(lag), 0);
      for (const [n, one] of lost.entries()) {
        const over = new AbortController();
        await world.loseShards(one.shards);
        const input = { ...world.input(n + 1), wire: one.wire };
        const training = trainTogether(input, one.learners, over, disturbance(one, over));
        await training.catch((error: unknown) => {
          if (over.signal.reason !== loss) throw error;
        });
      }
      await world.loseShards(last.shards);
      const over = new AbortController();
      const disturbed = disturbance({ ...last, calls: Infinity }, over);
      const input = { ...world.input(lost.length + 1), wire: last.wire };
      assert.equal(await trainTogether(input, last.learners, over, disturbed), expected.get(lag));
    },
  );
  // What is lost when is a matter of chance, so a failure is not made smaller.
  const numRuns = process.env[casesVariable] === "all" ? 40 : 4;
  await fc.assert(property, { numRuns, endOnFailure: true });
});
