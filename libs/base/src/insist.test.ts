import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "./clock.ts";
import { HeddleError } from "./error.ts";
import { insist } from "./insist.ts";

const deps = {
  ...{ clock: systemClock, random: () => 0.5 },
  backoff: { initialMs: 1, maxMs: 2, multiplier: 2, jitter: 0 },
};
const full = new HeddleError("RESOURCE_EXHAUSTED", "STORE_FULL", "no room");
const away = new HeddleError("UNAVAILABLE", "LOG_UNAVAILABLE", "away");

/** A write that fails with each of these in turn, and then is taken. */
function refusedBy(...errors: readonly Error[]) {
  const left = [...errors];
  const state = { tries: 0 };
  const write = async (): Promise<void> => {
    state.tries += 1;
    const error = left.shift();
    if (error !== undefined) throw error;
  };
  return { state, write };
}

test("a write is tried until it is taken, and each refusal is told, and their end", async () => {
  const { write, state } = refusedBy(full, away, away);
  const told: unknown[] = [];
  await insist(write, deps, new AbortController().signal, (refusal) => told.push(refusal));
  assert.deepEqual([state.tries, told], [4, [full, away, away, undefined]]);
  const atOnce = refusedBy();
  await insist(atOnce.write, deps, AbortSignal.abort(), () => assert.fail("nothing was refused"));
  assert.equal(atOnce.state.tries, 1);
});

test("what will not pass is thrown at once", async () => {
  for (const error of [new HeddleError("DATA_LOSS", "RECORD_CORRUPT", "bad"), new Error("a bug")]) {
    const { write, state } = refusedBy(away, error);
    await assert.rejects(insist(write, deps, new AbortController().signal), error);
    assert.equal(state.tries, 2);
  }
});

test("who is stopped between two tries hears why", async () => {
  const stop = new AbortController();
  const reason = new Error("stopped");
  const { write } = refusedBy(...Array.from({ length: 1_000 }, () => away));
  const insisting = insist(write, deps, stop.signal, () => stop.abort(reason));
  await assert.rejects(insisting, reason);
});
