import assert from "node:assert/strict";
import { test } from "node:test";
import { HeddleError } from "@heddle/base";
import { type Newcomer, openLink } from "./shard-link.ts";

const { signal } = new AbortController();
/** A process that is only told from others by its number. */
const process = (number: number): Newcomer => ({
  number,
  clients: { shard: 1, ...({} as { traced: never; quiet: never }) },
  route: { at: () => assert.fail("not called"), [Symbol.asyncDispose]: async () => undefined },
});
const link = (changes: { isReplaceable?: boolean; ms?: number; signal?: AbortSignal } = {}) => {
  const { isReplaceable = true, ms = 60_000 } = changes;
  const times = { replaceMs: ms, noticeMs: ms, signal: changes.signal ?? signal };
  return openLink({ shard: 1, isReplaceable, ...times }, process(0));
};
const unavailable = new HeddleError("UNAVAILABLE", "RPC_UNAVAILABLE", "nobody answers");

test("what a lost process still answers is nobody's word, and the call is made again on the next", async () => {
  const opened = link();
  const late = Promise.withResolvers<void>();
  const asked: number[] = [];
  const answer = opened.call(async ({ number }) => {
    asked.push(number);
    if (number === 0) await late.promise;
    return number;
  });
  opened.lose();
  late.resolve();
  opened.enter(process(4));
  assert.equal(await answer, 4);
  assert.deepEqual(asked, [0, 4]);
});

test("a call that fails because its process is gone waits for the next, and the loss ends those under way", async () => {
  const opened = link();
  const refused = opened.call(async ({ number }) => {
    if (number === 0) throw unavailable;
    return number;
  });
  const ended = opened.call(({ number, signal: stop }) =>
    number > 0
      ? Promise.resolve(number)
      : new Promise<number>((_, reject) =>
          stop.addEventListener("abort", () => reject(stop.reason as Error)),
        ),
  );
  opened.lose();
  const during = opened.call(async ({ number }) => number);
  opened.enter(process(2));
  assert.deepEqual(await Promise.all([refused, ended, during]), [2, 2, 2]);
});

test("a call that only one process can answer is given up by name when that is lost", async () => {
  const opened = link();
  const replaced = { code: "ABORTED", reason: "SHARD_REPLACED", metadata: { shard: "1" } };
  const late = Promise.withResolvers<number>();
  const meant = opened.once(() => late.promise);
  opened.lose();
  late.resolve(7);
  await assert.rejects(meant, replaced);
  await assert.rejects(
    opened.once(async () => 1),
    replaced,
  );
  opened.enter(process(2));
  await assert.rejects(
    opened.once(async () => 1, 0),
    replaced,
  );
  assert.equal(await opened.once(async ({ number }) => number, 2), 2);
});

test("a shard whose place nobody takes fails its calls by name, in bounded time", async () => {
  const opened = link({ ms: 20 });
  const lost = { code: "UNAVAILABLE", reason: "SHARD_LOST", message: /shard 1 is lost.* 20 ms/ };
  await assert.rejects(
    opened.call(() => Promise.reject(unavailable)),
    lost,
  );
  opened.lose();
  await assert.rejects(
    opened.call(async () => 1),
    lost,
  );
  const failed = link();
  failed.lose();
  const waiting = failed.call(async () => 1);
  failed.fail(new HeddleError("DATA_LOSS", "BLOCK_CORRUPT", "a flipped bit"));
  await assert.rejects(waiting, { reason: "BLOCK_CORRUPT" });
});

test("in exact mode nobody waits, and other failures pass in any mode", async () => {
  await assert.rejects(
    link({ isReplaceable: false }).call(() => Promise.reject(unavailable)),
    unavailable,
  );
  const full = new HeddleError("RESOURCE_EXHAUSTED", "TABLE_FULL", "full");
  await assert.rejects(
    link().call(() => Promise.reject(full)),
    full,
  );
  const stop = new AbortController();
  const opened = link({ signal: stop.signal });
  opened.lose();
  const waiting = opened.call(async () => 1);
  stop.abort(new Error("the attempt is over"));
  await assert.rejects(waiting, /the attempt is over/);
});
