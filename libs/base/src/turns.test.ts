import assert from "node:assert/strict";
import { test } from "node:test";
import { startTurns, startTurnsByKey } from "./turns.ts";

test("works run one after another in the order they were asked for, also after one that failed", async () => {
  const inTurn = startTurns();
  const told: string[] = [];
  const work = (name: string, fails = false) =>
    inTurn(async () => {
      told.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      told.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    });
  const outcomes = await Promise.allSettled([work("a"), work("b", true), work("c")]);
  assert.deepEqual(
    outcomes.map((one) => (one.status === "fulfilled" ? one.value : String(one.reason))),
    ["a", "Error: b", "c"],
  );
  const order = ["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"];
  assert.deepEqual(told, order);
});

test("works of one key wait for each other, and for none of another key", async () => {
  const inTurn = startTurnsByKey();
  const gate = Promise.withResolvers<void>();
  const told: string[] = [];
  const first = inTurn("a", () => gate.promise.then(() => told.push("a")));
  const second = inTurn("a", async () => told.push("a again"));
  await inTurn("b", async () => told.push("b"));
  gate.resolve();
  await Promise.all([first, second]);
  await inTurn("a", async () => told.push("a later"));
  assert.deepEqual(told, ["b", "a", "a again", "a later"]);
});
