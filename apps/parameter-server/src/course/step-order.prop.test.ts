import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Gang, openGang } from "../fixtures/gang.ts";
import { openStepOrder } from "./step-order.ts";

const gangs = fc.record<Gang>({
  lag: fc.constantFrom(0, 1),
  learners: fc.integer({ min: 1, max: 3 }),
  shards: fc.integer({ min: 1, max: 2 }),
  microBatches: fc.integer({ min: 1, max: 4 }),
  steps: fc.integer({ min: 1, max: 8 }),
  cuts: fc.uniqueArray(fc.integer({ min: 1, max: 8 })),
});

test("whatever order calls arrive in, each micro-batch reads the one state it must, and each step is applied once and whole", () => {
  fc.assert(
    fc.property(gangs, fc.infiniteStream(fc.nat()), (gang, choices) => {
      const run = openGang(gang);
      while (!run.done) {
        const acts = run.acts();
        assert.notEqual(acts.length, 0, `stuck: ${run.where}`);
        acts[(choices.next().value as number) % acts.length]?.();
      }
      run.checkReads();
    }),
  );
});

test("an attempt that ends anywhere and returns to its last cut reads the same states again", () => {
  const deaths = fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(gangs, deaths, fc.infiniteStream(fc.nat()), (gang, lives, choices) => {
      const run = openGang(gang);
      for (const acts of lives) {
        for (let n = 0; n < acts && !run.done; n++) {
          const possible = run.acts();
          possible[(choices.next().value as number) % possible.length]?.();
        }
        run.restart();
      }
      while (!run.done) {
        const acts = run.acts();
        assert.notEqual(acts.length, 0, `stuck: ${run.where}`);
        acts[(choices.next().value as number) % acts.length]?.();
      }
      run.checkReads();
    }),
  );
});

test("a state that is gone is refused, and so is a step that no learner can have reached", () => {
  const order = openStepOrder(0);
  order.served(1, 0);
  order.held(1, 0, false);
  order.advanced();
  assert.equal(order.pullTurn(1), "refuse");
  assert.equal(order.pullTurn(9), "refuse");
  assert.equal(order.pushTurn(9, false), "refuse");
  assert.equal(order.pullTurn(2), "now");
  order.returnTo(7);
  assert.equal(order.pullTurn(7), "refuse");
  assert.equal(order.pullTurn(8), "now");
});

test("a step waits for each of its micro-batches, and they agree on whether a cut follows", () => {
  const order = openStepOrder(0, 2);
  order.served(1, 0);
  order.held(1, 1, true);
  order.held(1, 0, true);
  assert.equal(order.ready, false, "micro-batch 1 was not pulled");
  assert.equal(order.pushTurn(1, false), "refuse");
  order.served(1, 1);
  assert.equal(order.ready, true);
  order.dropped(1, 0);
  assert.equal(order.ready, false, "micro-batch 0 is gone again");
});
