import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { isHeddleError } from "@heddle/base";
import fc from "fast-check";
import {
  encodeFile,
  encodeParameters,
  type ParameterState,
  readLayers,
  readState,
  sortedPieces,
  tablePieces,
  type TableState,
} from "./index.ts";

const idLists = fc.uniqueArray(
  fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 300n })),
  { maxLength: 40 },
);

/** Rows that are functions of their ids and a salt, ascending. */
function tableOf(ids: readonly bigint[], salt = 0, dimension = 3, slotWidth = 2): TableState {
  const sorted = BigUint64Array.from(ids).sort();
  const spread = (width: number) =>
    Float32Array.from({ length: sorted.length * width }, (_, i) =>
      Math.fround(Math.sin(Number((sorted[Math.floor(i / width)] ?? 0n) % 977n) + i + salt)),
    );
  return { ids: sorted, values: spread(dimension), slots: spread(slotWidth), dimension };
}
const aged = (table: TableState): TableState => ({
  ...table,
  versions: Uint32Array.from(table.ids, (id) => Number(id % (2n ** 32n - 2n))),
});
/** One table's rows have versions, the other's have none. */
const stateOf = (ids: readonly bigint[], salt = 0): ParameterState => ({
  tables: { "wide/rows": tableOf(ids, salt), aged: aged(tableOf(ids, salt, 1, 0)) },
  clock: 2 ** 33,
  dense: { b: { values: Float32Array.of(1, salt), slots: Float32Array.of(3) } },
});
const bytesOf = (state: ParameterState, part = { shard: 0, shards: 1 }): Buffer =>
  Buffer.concat([...encodeFile({ ...part, clock: state.clock! }, tablePieces(state), state.dense)]);

/** The bytes in chunks of some size, as a file system gives them. */
async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
const file = (bytes: Uint8Array, name = "runs/r/7", size = 1 << 16) => ({
  name,
  chunks: inChunks(bytes, size),
});

test("a file gives back the state that was written, however its bytes arrive", async () => {
  await fc.assert(
    fc.asyncProperty(idLists, fc.integer({ min: 1, max: 90 }), async (ids, size) => {
      const state = stateOf(ids);
      if (ids.length === 0) state.tables["wide/rows"]!.slots.fill(0);
      assert.deepEqual(await readState([file(bytesOf(state), "f", size)]), state);
    }),
    { numRuns: 50 },
  );
});

test("a file of the form before is read as one of this", async () => {
  const state = stateOf([1n, 2n ** 63n]);
  assert.deepEqual(await readState([file(encodeParameters(state))]), state);
});

test("rows that came in any order and any pieces give the same bytes", () => {
  fc.assert(
    fc.property(idLists, fc.infiniteStream(fc.nat()), (ids, choose) => {
      const pieces: bigint[][] = [[], [], []];
      for (const id of ids) pieces[(choose.next().value as number) % 3]!.push(id);
      // In the order drawn, not ascending; values stay those of the id.
      const whole = aged(tableOf(ids));
      const came = pieces.map((own) => {
        const rows = own.map((id) => whole.ids.indexOf(id));
        const take = (from: Float32Array, width: number) =>
          Float32Array.from(
            rows.flatMap((row) => [...from.subarray(row * width, (row + 1) * width)]),
          );
        return {
          ids: BigUint64Array.from(own),
          values: take(whole.values, 3),
          slots: take(whole.slots, 2),
          versions: Uint32Array.from(rows, (row) => whole.versions![row]!),
          dimension: 3,
        };
      });
      const header = { name: "wide/rows", dimension: 3, slotWidth: 2, versions: true };
      const part = { shard: 0, shards: 1 };
      const sorted = Buffer.concat([...encodeFile(part, [sortedPieces(header, came)], {})]);
      const pieceOfAll = { ...header, rows: ids.length, pieces: ids.length === 0 ? [] : [whole] };
      assert.deepEqual(sorted, Buffer.concat([...encodeFile(part, [pieceOfAll], {})]));
    }),
    { numRuns: 50 },
  );
});

test("layers are applied in order, and each may be of another number of shards", async () => {
  const seen = new Map<bigint, number>();
  const target = {
    header: () => undefined,
    rows: (_table: string, { ids, values }: TableState) =>
      ids.forEach((id, row) => seen.set(id, values[row * 3]!)),
    dense: () => undefined,
  };
  const part = (shard: number, shards: number, ids: bigint[], salt: number) =>
    file(bytesOf(stateOf(ids, salt), { shard, shards }), `s${shard}`);
  await readLayers(
    [[part(0, 2, [1n, 2n], 0), part(1, 2, [5n], 0)], [part(0, 1, [2n, 9n], 40)]],
    target,
  );
  const base = tableOf([1n, 2n], 0);
  const changed = tableOf([2n, 9n], 40);
  assert.equal(seen.size, 4);
  assert.equal(seen.get(1n), base.values[0]);
  assert.equal(seen.get(2n), changed.values[0]);
  for (const wrong of [[part(0, 2, [1n], 0)], [part(0, 2, [1n], 0), part(0, 2, [2n], 0)]]) {
    await assert.rejects(readLayers([wrong], target), { reason: "PARTS_OVERLAP" });
  }
});

test("any flipped bit and any missing end is reported with object and block, and nothing behind it is read", async () => {
  const bytes = bytesOf(stateOf(Array.from({ length: 60 }, (_, i) => BigInt(i * i))));
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length * 8 - 1), async (bit) => {
      const bad = Uint8Array.from(bytes);
      bad[bit >> 3]! ^= 1 << (bit & 7);
      await assert.rejects(readState([file(bad)]), (error) => {
        // A changed magic makes it a file of the form before, which it is not either.
        if (bit < 64) return isHeddleError(error, "TENSOR_FILE_CORRUPT");
        return (
          isHeddleError(error, "BLOCK_CORRUPT") &&
          /^block \d of runs\/r\/7 is corrupt: .*; nothing of the file was used: put a good copy/.test(
            error.message,
          )
        );
      });
    }),
    { numRuns: 200 },
  );
  for (let end = 8; end < bytes.length; end++) {
    await assert.rejects(readState([file(bytes.subarray(0, end))]), { reason: "BLOCK_CORRUPT" });
  }
  const longer = Buffer.concat([bytes, bytes.subarray(8)]);
  await assert.rejects(readState([file(longer)]), { reason: "BLOCK_CORRUPT" });
});

test("a block that stands in another's place is corrupt, though each of its bytes is right", async () => {
  const dense = { values: Float32Array.of(1), slots: Float32Array.of(2) };
  const [magic, header, a, b, end] = [
    ...encodeFile({ shard: 0, shards: 1 }, [], { a: dense, b: dense }),
  ] as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  await readState([file(Buffer.concat([magic, header, a, b, end]))]);
  await assert.rejects(readState([file(Buffer.concat([magic, header, b, a, end]))]), {
    reason: "BLOCK_CORRUPT",
    message: /block 1 .* its checksum differs/,
  });
});

test("rows of which a later piece begins with an id that came before are corrupt", async () => {
  const header = { name: "rows", dimension: 3, slotWidth: 2, rows: 4 };
  for (const [next, holds] of [
    [3n, true],
    [2n, false],
    [1n, false],
  ] as const) {
    const pieces = [tableOf([1n, 2n]), tableOf([next, 9n])];
    const bytes = Buffer.concat([
      ...encodeFile({ shard: 0, shards: 1 }, [{ ...header, pieces }], {}),
    ]);
    const read = readState([file(bytes)]);
    if (holds) await read;
    else await assert.rejects(read, { reason: "BLOCK_CORRUPT" });
  }
});

test("a block that asks for gigabytes is refused before anything is read for it", async () => {
  const bytes = bytesOf(stateOf([1n]));
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(8 + 4, 0xffffffff, true);
  await assert.rejects(readState([file(bytes)]), { message: /block 0 .* does not start as one/ });
});

test("a header that names more rows than come, or fewer, is refused: the latter before the first row too many is handed on", async () => {
  for (const [rows, seen, why] of [
    [4, 3, /block \d .* the file ends after it/],
    [2, 0, /block 2 .* are not as they were written/],
  ] as const) {
    const [first, ...others] = tablePieces(stateOf([3n, 5n, 9n]));
    const told = { ...first!, pieces: [...first!.pieces], rows };
    const bytes = Buffer.concat([...encodeFile({ shard: 0, shards: 1 }, [told, ...others], {})]);
    let came = 0;
    const target = {
      header: () => undefined,
      rows: (table: string, { ids }: TableState) => {
        if (table === first!.name) came += ids.length;
      },
      dense: () => undefined,
    };
    await assert.rejects(readLayers([[file(bytes)]], target), { message: why });
    assert.equal(came, seen);
  }
});

test("a block whose sum holds but whose length lies is refused by its number", async () => {
  const good = bytesOf(stateOf([1n]));
  const storedBytes = good.readUInt32LE(8 + 4);
  for (const off of [-1, 1, 1_000]) {
    const bytes = Buffer.from(good);
    const head = bytes.subarray(8, 20);
    head.writeUInt32LE(head.readUInt32LE(8) + off, 8);
    const sum = crc32(bytes.subarray(24, 24 + storedBytes), crc32(head, crc32("0")));
    bytes.writeUInt32LE(sum, 20);
    await assert.rejects(readState([file(bytes)]), { message: /block 0 .* to another size/ });
  }
});

test("whoever stops reading, or is stopped by a corrupt block, ends the stream it read from", async () => {
  const bytes = bytesOf(stateOf([1n, 2n]));
  const bad = Uint8Array.from(bytes);
  bad[30]! ^= 1;
  for (const [from, target] of [
    [bad, { header: () => undefined, rows: () => undefined, dense: () => undefined }],
    [bytes, { header: () => assert.fail("no such model"), rows: () => 0, dense: () => 0 }],
  ] as const) {
    let ended = false;
    const chunks = (async function* () {
      try {
        yield* inChunks(from, 40);
      } finally {
        ended = true;
      }
    })();
    await assert.rejects(readLayers([[{ name: "f", chunks }]], target));
    assert.ok(ended);
  }
});
