import assert from "node:assert/strict";
import { test } from "node:test";
import { HeddleError } from "@heddle/base";
import fc from "fast-check";
import { offering, pull, signal } from "./fixtures/echo.ts";
import { connectLane, openPool } from "./index.ts";

const calls = fc.array(
  fc.record({
    bytes: fc.integer({ min: 1, max: 40_000 }),
    /** Turns that the handler takes. */
    turns: fc.integer({ min: 0, max: 6 }),
    answer: fc.constantFrom("request", "room", "failure"),
    givesUp: fc.boolean(),
  }),
  { minLength: 1, maxLength: 24 },
);
type Call = typeof calls extends fc.Arbitrary<(infer C)[]> ? C : never;

/** Each call's bytes are its number, so that a byte of another call shows. */
const isAll = (bytes: Uint8Array | undefined, mark: number): boolean =>
  bytes !== undefined && bytes.every((byte) => byte === mark);

test("a call's bytes are its own on both sides until it is answered, however calls overlap", async () => {
  await fc.assert(
    fc.asyncProperty(calls, async (all) => {
      let mixed = 0;
      const pool = openPool({ heldBytesMax: 1 << 20, wipes: true });
      await using service = offering(
        {
          pull: async ({ step, tables }, { room, signal: gone }) => {
            const { turns, answer } = all[Number(step) - 1] as Call;
            const ids = tables[0]!.ids;
            const rows = answer === "room" ? room!(ids.length).fill(Number(step)) : ids;
            for (let n = 0; n < turns; n++) await new Promise(setImmediate);
            if (!isAll(ids, Number(step)) || !isAll(rows, Number(step))) mixed += 1;
            if (answer === "failure" || gone.aborted) throw new HeddleError("ABORTED", "NO", "no");
            return { rows: [rows, rows], step };
          },
        },
        "unix",
        {},
        pool,
      );
      const ownPool = openPool({ heldBytesMax: 1 << 20, wipes: true });
      await using lane = await connectLane(await service.offers.offer("a"), {
        pool: ownPool,
        signal,
      });
      await Promise.all(
        all.map(async ({ bytes, answer, givesUp, turns }, n) => {
          const ids = new Uint8Array(bytes).fill(n + 1);
          const stop = new AbortController();
          const options = { timeoutMs: 5_000, signal: stop.signal };
          let used = 0;
          const answered = lane.callReading(
            pull,
            { step: BigInt(n + 1), tables: [{ ids }] },
            options,
            ({ rows }) => {
              used += 1;
              if (!rows.every((row) => row.length === bytes && isAll(row, n + 1))) mixed += 1;
            },
          );
          const failed = answered.then(
            () => false,
            () => true,
          );
          for (let n = 0; givesUp && n < turns; n++) await new Promise(setImmediate);
          if (givesUp) stop.abort();
          const hasFailed = await failed;
          assert.equal(used, hasFailed ? 0 : 1);
          if (!givesUp) assert.equal(hasFailed, answer === "failure");
        }),
      );
      assert.equal(mixed, 0, "bytes of another call, or of memory that was given back");
    }),
    { numRuns: 60 },
  );
});

test("an answer that nobody reads in place is kept by its caller", async () => {
  await using service = offering({
    pull: async ({ tables }, { room }) => ({ rows: [room!(9_000).fill(tables[0]!.ids[0]!)] }),
  });
  const pool = openPool({ heldBytesMax: 1 << 20, wipes: true });
  await using lane = await connectLane(await service.offers.offer("a"), { pool, signal });
  const call = { timeoutMs: 5_000 };
  const of = (mark: number) => ({ tables: [{ ids: Uint8Array.of(mark) }] });
  const kept = await lane.call(pull, of(1), call);
  await lane.callReading(pull, of(2), call, ({ rows }) => assert.ok(isAll(rows[0], 2)));
  assert.ok(isAll(kept.rows[0], 1));
  const thrown = lane.callReading(pull, of(3), call, () => {
    throw new Error("cannot be used");
  });
  await assert.rejects(thrown, /cannot be used/);
  assert.equal((await lane.call(pull, of(4), call)).rows.length, 1, "the lane lives on");
});
