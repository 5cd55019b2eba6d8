import assert from "node:assert/strict";
import { test } from "node:test";
import { compressionsAlgorithms } from "@platformatic/kafka";
import { boundUnpacking, lz4BytesMax, snappyBytes, unpackedBytesMax } from "./unpacking.ts";

boundUnpacking();
const names = ["gzip", "snappy", "lz4", "zstd"] as const;
const tooLarge = { code: "HEDDLE_BATCH_TOO_LARGE", canRetry: false };

/** A batch of records that are alike, and all different. */
const batch = (bytes: number): Buffer =>
  Buffer.from(
    Array.from({ length: bytes / 20 }, (_, n) => `{"id":${n},"price":1.5}`).join(""),
  ).subarray(0, bytes);

for (const name of names) {
  const { compressSync, decompressSync } = compressionsAlgorithms[name];

  test(`${name}: what grows beyond the bound is refused, however little it is`, () => {
    const packed = compressSync(Buffer.alloc(unpackedBytesMax + 1));
    assert.ok(packed.length < unpackedBytesMax / 15);
    assert.throws(() => decompressSync(packed), tooLarge);
    assert.throws(() => decompressSync(compressSync(Buffer.alloc(8 * unpackedBytesMax))), tooLarge);
  });

  test(`${name}: what stays within it comes out as it was`, () => {
    for (const bytes of [
      batch(1_500_000),
      Buffer.alloc(unpackedBytesMax - (1 << 20)),
      Buffer.of(7),
    ]) {
      assert.ok(decompressSync(compressSync(bytes)).equals(bytes));
    }
  });
}

test("blocks of snappy count together, as Java's clients write them", () => {
  const { compressSync, decompressSync } = compressionsAlgorithms.snappy;
  const stream = (blocks: readonly Buffer[]): Buffer => {
    const header = Buffer.from("82534e41505059000000000100000001", "hex");
    const packed = blocks.map((block) => compressSync(block));
    const lengths = packed.map(({ length }) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(length);
      return bytes;
    });
    return Buffer.concat([header, ...packed.flatMap((block, n) => [lengths[n] as Buffer, block])]);
  };
  const block = Buffer.alloc(1 << 20, "x");
  assert.equal(snappyBytes(stream([block, Buffer.alloc(300)])), (1 << 20) + 300);
  assert.equal(decompressSync(stream([block, block])).length, 2 << 20);
  assert.throws(() => decompressSync(stream(Array.from({ length: 17 }, () => block))), tooLarge);
});

test("frames of LZ4 are taken for as large as their blocks may be, with whatever stands around these", () => {
  const frame = (flags: number, descriptor: number, blocks: readonly number[]): Buffer => {
    const head = [0x04, 0x22, 0x4d, 0x18, flags, descriptor];
    const size = (flags & 0x08) === 0 ? [] : Array.from({ length: 8 }, () => 0);
    const parts = blocks.flatMap((bytes) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes);
      const checksum = Buffer.alloc((flags & 0x10) === 0 ? 0 : 4);
      return [length, Buffer.alloc(bytes % 0x8000_0000), checksum];
    });
    const end = Buffer.alloc((flags & 0x04) === 0 ? 4 : 8);
    return Buffer.concat([Buffer.of(...head, ...size, 0), ...parts, end]);
  };
  const stored = 0x8000_0000;
  // 64 KiB a block; one of ten bytes makes at most 2,550.
  assert.equal(lz4BytesMax(frame(0x60, 0x40, [60_000, 10])), (64 << 10) + 2_550);
  assert.equal(lz4BytesMax(frame(0x68, 0x40, [stored + 500])), 500);
  const checked = frame(0x74, 0x70, [100_000]);
  assert.equal(lz4BytesMax(checked), 4 << 20);
  assert.equal(lz4BytesMax(Buffer.concat([checked, checked])), 8 << 20);
  assert.equal(lz4BytesMax(Buffer.from("none")), 0);
});
