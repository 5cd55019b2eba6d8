import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "@heddle/base";
import fc from "fast-check";
import { interleave } from "./interleave.ts";

test("each update is applied once and never beyond the bounds, and the same seed gives the same order", async () => {
  const settings = fc.record({
    inFlight: fc.integer({ min: 1, max: 8 }),
    staleness: fc.nat({ max: 20 }),
  });
  await fc.assert(
    fc.asyncProperty(settings, fc.nat({ max: 40 }), fc.nat(), async (setting, updates, seed) => {
      const run = async () => {
        const order: number[] = [];
        const underWay = new Set<number>();
        let next = 0;
        const overlapped = await interleave<number, number>({
          setting,
          random: seededRandom(seed).next,
          next: async () => (next < updates ? next++ : undefined),
          pull: (update) => {
            underWay.add(update);
            assert.ok(underWay.size <= setting.inFlight);
            return order.length;
          },
          push: async (update, state) => {
            assert.ok(order.length - state <= setting.staleness);
            underWay.delete(update);
            order.push(update);
          },
        });
        return { order, overlapped };
      };
      const first = await run();
      assert.deepEqual(
        first.order.toSorted((a, b) => a - b),
        Array.from({ length: updates }, (_, n) => n),
      );
      const { pushes } = first.overlapped;
      assert.equal(pushes.length, setting.staleness + 1);
      assert.equal(
        pushes.reduce((a, b) => a + b, 0),
        updates,
      );
      if (setting.inFlight === 1) assert.equal(pushes[0], updates);
      assert.deepEqual(await run(), first);
    }),
  );
});
