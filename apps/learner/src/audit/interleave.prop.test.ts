import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "@heddle/base";
import fc from "fast-check";
import { interleave } from "./interleave.ts";

test("each update is applied once and never beyond the bounds, and the same seed gives the same order", async () => {
  const settings = fc.record({
    inFlight: fc.integer({ min: 1, max: 8 }),
    staleness: fc.nat({ max: 20 }),
    rowAge: fc.nat({ max: 20 }),
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
          pull: (update, anew) => {
            underWay.add(update);
            assert.ok(underWay.size <= setting.inFlight);
            const state = Math.max(0, order.length - (anew ? 0 : setting.rowAge));
            return { read: state, state };
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
      const { rowAge, staleness } = setting;
      // What is too old is read again, and then it is the only one.
      const stale = (n: number): number =>
        Math.min(rowAge, n) > staleness ? 0 : Math.min(rowAge, n);
      if (setting.inFlight === 1) {
        for (let n = 0; n < updates; n++) assert.ok((pushes[stale(n)] ?? 0) > 0);
      }
      assert.deepEqual(await run(), first);
    }),
  );
});
