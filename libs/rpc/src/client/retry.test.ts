import assert from "node:assert/strict";
import { test } from "node:test";
import { HeddleError } from "@heddle/base";
import { retried } from "./retry.ts";

const away = new HeddleError("UNAVAILABLE", "STORE_UNAVAILABLE", "the store is away");
const soon = (): number => Date.now() + 60_000;

/** Fails with these errors, one a try, and then answers with the number of tries. */
function failing(...errors: readonly Error[]) {
  const left = [...errors];
  let tries = 0;
  return {
    once: async () => {
      tries += 1;
      const error = left.shift();
      if (error !== undefined) throw error;
      return tries;
    },
    tries: () => tries,
  };
}

test("a call is tried until it is no more unavailable", async () => {
  assert.equal(await retried("call", failing(away, away).once, soon()), 3);
});

test("what is not UNAVAILABLE is not tried again", async () => {
  for (const error of [new HeddleError("ABORTED", "FENCED", "replaced"), new Error("a bug")]) {
    const call = failing(error);
    await assert.rejects(retried("call", call.once, soon()), (thrown) => thrown === error);
    assert.equal(call.tries(), 1);
  }
});

test("a wait that would pass the deadline is not begun: the last failure says why", async () => {
  const call = failing(away);
  await assert.rejects(retried("call", call.once, Date.now() + 1), (thrown) => thrown === away);
  assert.equal(call.tries(), 1);
});

test("who gives up between two tries does not wait for the next, and hears what the last one failed with", async () => {
  const stop = new AbortController();
  const call = failing(away, away);
  const once = () => {
    // By then the failure is handled, and the wait has begun.
    if (call.tries() === 1) setImmediate(() => stop.abort());
    return call.once();
  };
  await assert.rejects(retried("Registry/GetRun", once, soon(), stop.signal), {
    code: "CANCELLED",
    reason: "RPC_CANCELLED",
    message: /Registry\/GetRun was cancelled .*: the store is away/,
    cause: away,
  });
  assert.equal(call.tries(), 2);
});
