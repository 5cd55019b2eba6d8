import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeFrame, type Frame } from "./frame.ts";
import { openParser } from "./parser.ts";
import { openPool, openSharedPool, type Pool, type PoolOptions } from "./pool.ts";

const heldBytesMax = 100_000;

type Open = (options: PoolOptions) => Pool<ArrayBufferLike>;

test("memory that is taken is nobody else's until it is given back, and what is kept is bounded", () => {
  const opens = fc.constantFrom<Open>(openPool, openSharedPool);
  const act = fc.record({ bytes: fc.integer({ min: 0, max: 60_000 }), gives: fc.nat() });
  fc.assert(
    fc.property(opens, fc.array(act, { maxLength: 60 }), (open, acts) => {
      const pool = open({ heldBytesMax, wipes: true });
      const taken: { memory: Uint8Array; mark: number }[] = [];
      acts.forEach(({ bytes, gives }, n) => {
        const memory = pool.take(bytes);
        assert.deepEqual([memory.length, memory.byteOffset % 8], [bytes, 0]);
        taken.push({ memory: memory.fill(n + 1), mark: n + 1 });
        for (const one of taken) assert.ok(one.memory.every((byte) => byte === one.mark));
        if (gives % 2 === 0) pool.give(taken.splice(gives % taken.length, 1)[0]!.memory);
        assert.ok(pool.heldBytes <= heldBytesMax);
      });
    }),
  );
});

test("what was given back is used again, and giving it back twice is a bug that is found", () => {
  const pool = openPool({ heldBytesMax });
  const first = pool.take(50_000);
  pool.give(first);
  assert.equal(pool.take(48_000).buffer, first.buffer, "frames differ in size");
  pool.give(first);
  assert.throws(() => pool.give(first), /given back once/);
  assert.throws(() => pool.give(new Uint8Array(9_000)), /to where it was taken/);
  assert.notEqual(pool.take(5_000).buffer, first.buffer, "a small one does not hold a large one's");
});

test("frames keep their bytes until they are freed, whatever comes into memory that others freed", () => {
  const frame = fc.record({
    bytes: fc.integer({ min: 0, max: 70_000 }),
    freed: fc.boolean(),
    piece: fc.integer({ min: 1, max: 50_000 }),
  });
  fc.assert(
    fc.property(fc.array(frame, { minLength: 1, maxLength: 12 }), (frames) => {
      const pool = openPool({ heldBytesMax: 1 << 20, wipes: true });
      const seen: Frame[] = [];
      const parser = openParser({
        where: "test",
        frameBytesMax: () => 1 << 20,
        pool,
        onFrame: (one) => seen.push(one),
      });
      const kept: { one: Frame; mark: number }[] = [];
      frames.forEach(({ bytes, freed, piece }, n) => {
        const segment = new Uint8Array(bytes).fill(n + 1);
        read(parser, Buffer.concat(encodeFrame("call", n, Uint8Array.of(n), [segment])), piece);
        const one = seen[n]!;
        assert.equal(one.payload.length, Math.ceil(bytes / 8) * 8);
        kept.push({ one, mark: n + 1 });
        for (const { one: frame, mark } of kept) {
          const { header, payload } = frame;
          assert.equal(header[0], mark - 1);
          assert.ok(payload.every((byte) => byte === mark || byte === 0));
        }
        if (freed) kept.shift()?.one.free();
      });
    }),
    { numRuns: 40 },
  );
});

/** As a socket does that reads to where the parser says: the same bytes must come out. */
function read(parser: ReturnType<typeof openParser>, all: Uint8Array, piece: number): void {
  for (let at = 0; at < all.length;) {
    const room = parser.room();
    const part = all.subarray(at, at + Math.min(piece, room?.length ?? piece));
    room?.set(part);
    parser.push(room?.subarray(0, part.length) ?? part);
    at += part.length;
  }
}
