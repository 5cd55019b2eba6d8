import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { openStepOrder } from "./step-order.ts";

/** What one learner does in a run of `steps` steps with cuts: the state each step reads, by definition. */
const stateRead = (step: number, lag: number, cuts: ReadonlySet<number>): number => {
  const cut = Math.max(0, ...[...cuts].filter((c) => c < step));
  return Math.max(step - 1 - lag, cut, 0);
};

test("whatever order calls arrive in, each step reads the one state it must, and each push is applied once", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(0, 1),
      fc.integer({ min: 1, max: 12 }),
      fc.uniqueArray(fc.integer({ min: 1, max: 12 })),
      fc.infiniteStream(fc.nat()),
      (lag, steps, cutSteps, choices) => {
        const cuts = new Set([...cutSteps.filter((s) => s < steps), steps]);
        const order = openStepOrder(lag);
        const read = new Map<number, number>();
        let nextPull = 1;
        const pulls = new Set<number>();
        const pushes = new Set<number>();
        const computed = new Set<number>();
        while (order.applied < steps) {
          const acts: (() => void)[] = [];
          // The learner asks for a step after a cut only when the push before the cut is acknowledged.
          const cutAhead = [...cuts].find((c) => c < nextPull && c > order.applied);
          if (nextPull <= steps && nextPull <= order.applied + 1 + lag && cutAhead === undefined) {
            acts.push(() => pulls.add(nextPull++));
          }
          for (const step of pulls) {
            if (order.pullTurn(step) !== "now") continue;
            acts.push(() => {
              read.set(step, order.applied);
              order.served(step);
              pulls.delete(step);
            });
          }
          for (const step of read.keys()) {
            if (!computed.has(step))
              acts.push(() => {
                computed.add(step);
                pushes.add(step);
              });
          }
          for (const step of pushes) {
            if (order.pushTurn(step, cuts.has(step)) !== "now") continue;
            acts.push(() => {
              order.pushed(step, cuts.has(step));
              assert.equal(order.pushTurn(step, cuts.has(step)), "repeated");
              pushes.delete(step);
            });
          }
          assert.notEqual(acts.length, 0, `stuck at ${order.applied} of ${steps}`);
          acts[(choices.next().value as number) % acts.length]?.();
        }
        for (let step = 1; step <= steps; step++) {
          assert.equal(read.get(step), stateRead(step, lag, cuts));
        }
      },
    ),
  );
});

test("a state that is gone is refused, and so is a step that no learner can have reached", () => {
  const order = openStepOrder(0);
  order.served(1);
  order.pushed(1, false);
  assert.equal(order.pullTurn(1), "refuse");
  assert.equal(order.pullTurn(9), "refuse");
  assert.equal(order.pushTurn(9, false), "refuse");
  assert.equal(order.pullTurn(2), "now");
  order.returnTo(7);
  assert.equal(order.pullTurn(7), "refuse");
  assert.equal(order.pullTurn(8), "now");
});
