import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, HeddleError } from "@heddle/base";
import { watchNeeds } from "./needs.ts";

const log = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
};

test("health hears of the first need that is not met, once, and of its return", async () => {
  let problem: Error | undefined = new HeddleError(
    "UNAVAILABLE",
    "STORE_UNAVAILABLE",
    "it is away",
  );
  const told: (string | undefined)[] = [];
  let turn = Promise.withResolvers<void>();
  const waits: number[] = [];
  const slept = { looked: Promise.withResolvers<void>() };
  const clock: Clock = {
    now: () => 0,
    monotonicMs: () => 0,
    sleep: (ms, signal) => {
      waits.push(ms);
      slept.looked.resolve();
      return Promise.race([
        turn.promise,
        new Promise<void>((_, reject) =>
          signal.addEventListener("abort", () => reject(new Error("closed"))),
        ),
      ]);
    },
  };
  const look = async (): Promise<void> => {
    slept.looked = Promise.withResolvers();
    const last = turn;
    turn = Promise.withResolvers();
    last.resolve();
    await slept.looked.promise;
  };
  const well = { name: "log", check: () => Promise.resolve() };
  const store = {
    name: "store",
    check: () => (problem === undefined ? Promise.resolve() : Promise.reject(problem)),
  };
  await using _watching = watchNeeds([well, store], { clock, log }, (each) => void told.push(each));
  await slept.looked.promise;
  await look();
  problem = undefined;
  await look();
  await look();
  problem = new Error("a bug");
  await look();
  assert.deepEqual(told, [
    "store: STORE_UNAVAILABLE: it is away",
    undefined,
    "store: NOT_USABLE: a bug",
  ]);
  assert.deepEqual(waits, [1_000, 1_000, 5_000, 5_000, 1_000]);
});
