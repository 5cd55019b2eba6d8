import { mix32 } from "@heddle/base";
import { gatherRows } from "./batch.ts";
import { halvesOf, type ShardIds } from "./ids.ts";
import type { Admission, TableSpec } from "./port.ts";

const admissionSeed = 0x27d4eb2f;

/**
 * Whether a push makes the row of an id that has none: a draw that depends on (seed, id, version) alone, so that it is the same on any
 * shard and when a step is taken again.
 */
export function admits(
  { probability }: Admission,
  seed: number,
  low: number,
  high: number,
  version: number,
): boolean {
  const bits = mix32(mix32(mix32(seed ^ admissionSeed, low), high), version);
  return (bits + 0.5) / 2 ** 32 < probability;
}

/**
 * The ids of a push whose gradients are applied, and where they stand; undefined where all are.
 *
 * @param hasRow says for each id whether it has a row.
 */
export function admitted(
  { admission, seed }: TableSpec,
  ids: BigUint64Array,
  version: number,
  hasRow: () => (at: number) => boolean,
): ShardIds | undefined {
  if (admission === undefined) return undefined;
  const halves = halvesOf(ids);
  const known = hasRow();
  const positions = Int32Array.from(ids.keys()).filter(
    (at) =>
      known(at) ||
      admits(admission, seed, halves[2 * at] as number, halves[2 * at + 1] as number, version),
  );
  if (positions.length === ids.length) return undefined;
  return { ids: BigUint64Array.from(positions, (at) => ids[at] as bigint), positions };
}

/** The rows at those positions. */
export function gradientsOf(
  { positions }: ShardIds,
  gradients: Float32Array,
  dimension: number,
): Float32Array {
  const out = new Float32Array(positions.length * dimension);
  gatherRows(gradients, dimension, positions, out);
  return out;
}
