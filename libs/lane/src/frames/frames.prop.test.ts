import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { isHeddleError } from "@heddle/base";
import fc from "fast-check";
import { encodeFrame, type Frame, type Kind, kinds, preludeBytes } from "./frame.ts";
import { openParser } from "./parser.ts";
import { openPool } from "./pool.ts";

const frameBytesMax = 4_096;
const pool = openPool({ heldBytesMax: 1 << 20, wipes: true });
const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const frames = fc.array(
  fc.record({
    kind: fc.constantFrom(...(Object.keys(kinds) as Kind[])),
    id: fc.integer({ min: 0, max: 0xffffffff }),
    header: bytes(40),
    segments: fc.array(bytes(100), { maxLength: 4 }),
  }),
  { minLength: 1, maxLength: 4 },
);

function encode(
  all: readonly { kind: Kind; id: number; header: Uint8Array; segments: Uint8Array[] }[],
) {
  return Buffer.concat(all.flatMap((f) => encodeFrame(f.kind, f.id, f.header, f.segments)));
}

/** What a parser makes of pieces: the frames, and the reason for which it stopped. */
function parse(
  pieces: readonly Uint8Array[],
  bytesMax = frameBytesMax,
): { seen: Frame[]; reason: string } {
  const seen: Frame[] = [];
  const parser = openParser({
    where: "test",
    frameBytesMax: () => bytesMax,
    pool,
    onFrame: (frame) => seen.push(frame),
  });
  try {
    for (const piece of pieces) parser.push(piece);
    parser.end();
    return { seen, reason: "" };
  } catch (error) {
    assert.ok(isHeddleError(error), String(error));
    return { seen, reason: error.reason };
  }
}

function split(all: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [0, ...cuts.map((cut) => cut % (all.length + 1)).sort((a, b) => a - b), all.length];
  return at.slice(1).map((end, i) => all.subarray(at[i], end));
}

test("frames come out as they went in, wherever the bytes are cut", () => {
  fc.assert(
    fc.property(frames, fc.array(fc.nat(), { maxLength: 30 }), (given, cuts) => {
      const { seen, reason } = parse(split(encode(given), cuts));
      assert.equal(reason, "");
      assert.equal(seen.length, given.length);
      seen.forEach(({ kind, id, header, payload }, i) => {
        const expected = given[i]!;
        assert.deepEqual([kind, id], [expected.kind, expected.id]);
        assert.deepEqual(Uint8Array.from(header), expected.header);
        assert.equal(payload.byteOffset % 8, 0);
        let at = 0;
        for (const segment of expected.segments) {
          assert.deepEqual(Uint8Array.from(payload.subarray(at, at + segment.length)), segment);
          at += Math.ceil(segment.length / 8) * 8;
        }
        assert.equal(payload.length, at);
      });
    }),
  );
});

test("a frame of as many bytes as there may be is taken, and none of more", () => {
  const all = Buffer.concat(encodeFrame("call", 1, new Uint8Array(8), [new Uint8Array(16)]));
  assert.equal(parse([all], 24).seen.length, 1);
  assert.deepEqual(parse([all], 23), { seen: [], reason: "LANE_FRAME_TOO_LARGE" });
});

test("a flipped bit is refused by name, and no frame from it on is handed on", () => {
  fc.assert(
    fc.property(frames, fc.nat(), fc.array(fc.nat(), { maxLength: 4 }), (given, bit, cuts) => {
      const all = encode(given);
      const at = (bit >> 3) % all.length;
      all[at] = all[at]! ^ (1 << (bit & 7));
      let end = 0;
      const whole = given.findIndex((frame) => (end += encode([frame]).length) > at);
      const { seen, reason } = parse(split(all, cuts));
      assert.match(reason, /^LANE_(CHECKSUM|BAD_FRAME)$/);
      assert.equal(seen.length, whole);
    }),
    { numRuns: 500 },
  );
});

test("every bit of a small frame is guarded", () => {
  const frame = encode([
    { kind: "call", id: 7, header: Uint8Array.of(1, 2, 3), segments: [Uint8Array.of(9)] },
  ]);
  for (let bit = 0; bit < frame.length * 8; bit++) {
    const damaged = Uint8Array.from(frame);
    damaged[bit >> 3] = damaged[bit >> 3]! ^ (1 << (bit & 7));
    assert.notEqual(parse([damaged]).reason, "", `bit ${bit}`);
  }
});

test("a frame that is cut short is refused, and those before it stand", () => {
  fc.assert(
    fc.property(frames, fc.nat(), (given, cut) => {
      const last = encode(given.slice(-1));
      const all = encode(given);
      const missing = 1 + (cut % (last.length - 1));
      const { seen, reason } = parse([all.subarray(0, all.length - missing)]);
      assert.equal(reason, "LANE_TRUNCATED");
      assert.equal(seen.length, given.length - 1);
    }),
  );
});

test("garbage is refused by name after at most one prelude", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: preludeBytes, maxLength: 300 }), (garbage) => {
      const { seen, reason } = parse([garbage]);
      assert.equal(seen.length, 0);
      assert.equal(reason, "LANE_BAD_FRAME");
    }),
  );
});

test("a frame larger than the limit is refused before any memory is taken for it", () => {
  const parser = openParser({
    where: "test",
    frameBytesMax: () => 64,
    pool,
    onFrame: () => assert.fail(),
  });
  const [prelude] = encodeFrame("call", 1, new Uint8Array(), [new Uint8Array(72)]);
  assert.throws(() => parser.push(prelude!), {
    code: "RESOURCE_EXHAUSTED",
    reason: "LANE_FRAME_TOO_LARGE",
    message: /test: a frame of 72 bytes, where at most 64 are taken/,
  });
  assert.throws(() => parser.push(Uint8Array.of(1)), { reason: "LANE_BAD_FRAME" });
});

test("a frame of an unknown kind, or with a payload that is not padded, is refused", () => {
  const parts = encodeFrame("call", 1, new Uint8Array());
  for (const [offset, value, words] of [
    [4, 99, /kind 99, which is not known/],
    [16, 4, /a payload of 4 bytes, not padded/],
  ] as const) {
    const prelude = Buffer.from(parts[0]!);
    prelude[offset] = value;
    prelude.writeUInt32LE(crc32(prelude.subarray(0, 28)), 28);
    const parser = openParser({
      where: "test",
      frameBytesMax: () => 64,
      pool,
      onFrame: () => assert.fail(),
    });
    assert.throws(() => parser.push(prelude), { reason: "LANE_BAD_FRAME", message: words });
  }
});
