import { mix32 } from "@heddle/base";
import { gatherRows } from "../../batch/batch.ts";
import { gatherIds, halvesOf } from "../../ids/ids.ts";
import type { ShardIds } from "../../ids/shards.ts";
import type { TableSpec } from "../../port.ts";

const admissionSeed = 0x27d4eb2f;

/** What a push does, as far as admission goes. */
export interface Admitted {
  /** The ids whose gradients are applied, and where they stand; absent where all are. */
  readonly own?: ShardIds;
  /** With an admission by count: ids that this push counts, and ids that it gives their row. */
  readonly counted?: BigUint64Array;
  readonly made?: BigUint64Array;
}

/** What admission asks a table. */
export interface Known {
  /** Whether each id has a row. */
  rows(): (at: number) => boolean;
  /** How often each of the ids was counted, shape [ids]; for an admission by count. */
  counts(ids: BigUint64Array): Float32Array;
}

/**
 * Whether a push makes the row of an id that has none: a draw that depends on (seed, id, version) alone, so that it is the same on any
 * shard and when a step is taken again.
 */
function admits(
  probability: number,
  seed: number,
  low: number,
  high: number,
  version: number,
): boolean {
  const bits = mix32(mix32(mix32(seed ^ admissionSeed, low), high), version);
  return (bits + 0.5) / 2 ** 32 < probability;
}

/** What becomes of the ids of a push. */
export function admitted(
  { admission, seed }: TableSpec,
  ids: BigUint64Array,
  version: number,
  known: Known,
): Admitted {
  if (admission === undefined) return {};
  const hasRow = known.rows();
  if ("count" in admission) return admittedByCount(admission.count, ids, hasRow, known.counts);
  const halves = halvesOf(ids);
  const positions = positionsWhere(
    ids,
    (at) =>
      hasRow(at) ||
      admits(
        admission.probability,
        seed,
        ...([halves[2 * at] as number, halves[2 * at + 1] as number, version] as const),
      ),
  );
  return positions.length === ids.length ? {} : { own: idsAt(ids, positions) };
}

function admittedByCount(
  count: number,
  ids: BigUint64Array,
  hasRow: (at: number) => boolean,
  countsOf: Known["counts"],
): Admitted {
  const without = idsAt(
    ids,
    positionsWhere(ids, (at) => !hasRow(at)),
  );
  if (without.ids.length === 0) return {};
  const counts = countsOf(without.ids);
  const isMade = (at: number): boolean => (counts[at] as number) + 1 >= count;
  const made = idsAt(without.ids, positionsWhere(without.ids, isMade)).ids;
  const counted = idsAt(
    without.ids,
    positionsWhere(without.ids, (at) => !isMade(at)),
  );
  if (counted.ids.length === 0) return { made };
  const dropped = new Uint8Array(ids.length);
  for (const at of counted.positions) dropped[without.positions[at] as number] = 1;
  const own = idsAt(
    ids,
    positionsWhere(ids, (at) => dropped[at] === 0),
  );
  return { own, counted: counted.ids, made };
}

function positionsWhere(ids: BigUint64Array, holds: (at: number) => boolean): Int32Array {
  const positions = new Int32Array(ids.length);
  let count = 0;
  for (let at = 0; at < ids.length; at++) if (holds(at)) positions[count++] = at;
  return positions.slice(0, count);
}

const idsAt = (ids: BigUint64Array, positions: Int32Array): ShardIds => ({
  ids: gatherIds(ids, positions),
  positions,
});

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
