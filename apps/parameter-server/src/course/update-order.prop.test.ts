import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { openUpdateOrder } from "./update-order.ts";

const settings = fc.record({
  staleness: fc.nat({ max: 4 }),
  inFlight: fc.integer({ min: 1, max: 6 }),
  snapshotSteps: fc.integer({ min: 1, max: 7 }),
  shards: fc.integer({ min: 1, max: 3 }),
  updates: fc.integer({ min: 1, max: 16 }),
});

/** An update on its way: what it read of each shard, and what each has applied. */
interface Update {
  readonly states: (number | undefined)[];
  readonly applied: boolean[];
  /** A push was refused: it computes again. */
  again: boolean;
}

test("whatever order calls arrive in, no bound is passed, each update is applied once, and nobody waits for ever", () => {
  fc.assert(
    fc.property(
      settings,
      fc.infiniteStream(fc.nat()),
      ({ shards, updates, ...bounds }, choices) => {
        const orders = Array.from({ length: shards }, () => openUpdateOrder(bounds));
        const all = new Map<number, Update>();
        for (let n = 1; n <= updates; n++) {
          const none = new Array<undefined>(shards).fill(undefined);
          all.set(n, {
            states: none,
            applied: new Array<boolean>(shards).fill(false),
            again: false,
          });
        }
        while (orders.some(({ applied }) => applied < updates)) {
          const acts: (() => void)[] = [];
          orders.forEach((order, s) => {
            const cut = order.applied;
            if (cut > 0 && cut % bounds.snapshotSteps === 0 && order.cutTurn(cut) === "now") {
              acts.push(() => order.copied(cut));
            }
            for (const [number, update] of all) {
              if (update.states[s] === undefined && order.pullTurn(number) === "now") {
                acts.push(() => {
                  update.states[s] = order.applied;
                  order.served(number);
                });
              }
              // It pushes when it has read all it reads.
              if (update.applied[s] || update.states.includes(undefined)) continue;
              acts.push(() => {
                const state = update.states[s] ?? 0;
                const turn = order.pushTurn(number, state);
                if (turn === "stale") {
                  assert.ok(order.applied - state > bounds.staleness);
                  order.refused();
                  update.states.fill(undefined);
                  return;
                }
                if (turn === "now") order.pushed(number, state);
                else assert.equal(turn, "repeated");
                update.applied[s] = true;
              });
            }
          });
          assert.notEqual(
            acts.length,
            0,
            `stuck at ${orders.map(({ applied }) => applied).join()}`,
          );
          acts[(choices.next().value as number) % acts.length]?.();
          for (const { overlap } of orders) assert.ok(overlap.inFlight <= bounds.inFlight);
        }
        for (const { overlap } of orders) {
          assert.equal(overlap.pushes.length, bounds.staleness + 1);
          assert.equal(
            overlap.pushes.reduce((a, b) => a + b, 0),
            updates,
          );
          assert.ok(overlap.inFlightMax <= bounds.inFlight);
        }
      },
    ),
  );
});

test("one update at a time reads what the one before it wrote", () => {
  const order = openUpdateOrder({ staleness: 0, inFlight: 1, snapshotSteps: 100 });
  for (let update = 1; update <= 5; update++) {
    assert.equal(order.pullTurn(update + 1), "wait");
    order.served(update);
    order.pushed(update, update - 1);
  }
  assert.deepEqual(order.overlap, { pushes: [5], inFlight: 0, inFlightMax: 1, refused: 0 });
});

test("nothing passes a cut before its copy is taken", () => {
  const order = openUpdateOrder({ staleness: 9, inFlight: 4, snapshotSteps: 2 });
  order.served(1);
  order.served(2);
  assert.equal(order.pullTurn(3), "wait");
  order.pushed(2, 0);
  assert.equal(order.cutTurn(2), "wait", "update 1 is under way");
  order.pushed(1, 0);
  assert.equal(order.pullTurn(3), "wait");
  assert.equal(order.cutTurn(1), "refuse", "that state is gone");
  assert.equal(order.cutTurn(5), "refuse", "no cut can be there");
  assert.equal(order.cutTurn(2), "now");
  order.copied(2);
  assert.equal(order.pullTurn(3), "now");
});

test("a push of what was not pulled, or from a state that never was, is refused", () => {
  const order = openUpdateOrder({ staleness: 1, inFlight: 4, snapshotSteps: 9 });
  assert.equal(order.pullTurn(0), "refuse");
  assert.equal(order.pushTurn(1, 0), "refuse");
  order.served(1);
  assert.equal(order.pushTurn(1, 3), "refuse");
  order.returnTo(4);
  assert.equal(order.pushTurn(4, 0), "repeated");
  assert.equal(order.pullTurn(5), "now");
  assert.equal(order.applied, 4);
});

test("a cut that is restored was taken, whatever the gang had heard of it", () => {
  const order = openUpdateOrder({ staleness: 1, inFlight: 4, snapshotSteps: 4 });
  order.returnTo(8);
  assert.equal(order.resume({ copied: 4, done: [9] }), 1);
  assert.equal(order.pullTurn(10), "now");
  assert.equal(order.pullTurn(13), "wait");
});
