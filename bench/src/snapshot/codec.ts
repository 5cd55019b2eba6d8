import { constants, deflateRawSync, zstdCompressSync } from "node:zlib";
import { seededRandom } from "@heddle/base";
import { bytesOf } from "@heddle/tensor";
import type { Row } from "../row.ts";
import { compared } from "../summarise.ts";
import { dimension, rowBytes } from "./work.ts";

const rows = 8_192;

/** How a block could be packed: zstd of levels 1 and 3, deflate, and zstd of bytes as they lie. */
export function codecRows(rounds: number): readonly Row[] {
  const asTheyLie = blockOf();
  const planes = planesOf(asTheyLie);
  const ways = {
    "zstd 1": () => zstd(planes, 1),
    "zstd 3": () => zstd(planes, 3),
    "zstd 1 of bytes as they lie": () => zstd(asTheyLie, 1),
    "deflate 1": () => deflateRawSync(planes, { level: 1 }),
  };
  const [own, ...others] = Object.entries(ways).map(([name, pack]) => ({
    name,
    pack,
    speeds: [] as number[],
  }));
  if (own === undefined) return [];
  for (let round = -1; round < rounds; round++) {
    for (const way of [own, ...others]) {
      const before = process.cpuUsage();
      way.pack();
      const { user, system } = process.cpuUsage(before);
      if (round >= 0) way.speeds.push(planes.length / Math.max(1, user + system));
    }
  }
  const size = (pack: () => Uint8Array): number[] => [pack().length / planes.length];
  return others.flatMap(({ name, pack, speeds }) => [
    compared("packing a block by zstd 1", "MB/CPU-s", own.speeds, { name, values: speeds }),
    compared("its size, of what it was", "", size(own.pack), { name, values: size(pack) }),
  ]);
}

function zstd(bytes: Uint8Array, level: number): Uint8Array {
  const params = { [constants.ZSTD_c_compressionLevel]: level };
  return zstdCompressSync(bytes, { params, chunkSize: bytes.length });
}

/** Rows as training leaves them: normal values, accumulators of squared gradients, distances of hashed ids. */
function blockOf(): Uint8Array {
  const random = seededRandom(3);
  const normal = (): number =>
    0.05 * Math.sqrt(-2 * Math.log(random.next() + 1e-9)) * Math.cos(6.283 * random.next());
  const ids = BigUint64Array.from({ length: rows }, () =>
    BigInt(Math.floor(random.next() * 2 ** 50)),
  );
  const values = Float32Array.from({ length: rows * dimension }, normal);
  const slots = Float32Array.from({ length: rows * dimension }, () => 0.1 + random.next() ** 4 / 2);
  const block = new Uint8Array(rows * rowBytes);
  block.set(bytesOf(ids));
  block.set(bytesOf(values), ids.byteLength);
  block.set(bytesOf(slots), ids.byteLength + values.byteLength);
  return block;
}

/** All first bytes of values, all second ones, and so on; ids first. */
function planesOf(block: Uint8Array): Uint8Array {
  const out = new Uint8Array(block.length);
  const split = (from: number, to: number, width: number): void => {
    const count = (to - from) / width;
    for (let i = 0; i < to - from; i++)
      out[from + (i % width) * count + Math.floor(i / width)] = block[from + i] as number;
  };
  const [values, slots] = [rows * 8, rows * (8 + 4 * dimension)];
  split(0, values, 8);
  split(values, slots, 4);
  split(slots, block.length, 4);
  return out;
}
