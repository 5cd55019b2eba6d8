import { present } from "@heddle/base";
import { gatherRows, scatterRows } from "../../batch/batch.ts";
import type { ShardIds } from "../../ids/shards.ts";
import type { Part } from "../part.ts";
import type { NewerRows, TableRows, TableSpec } from "../../port.ts";

/** Asks each instance with the ids that it owns. */
export function each<T, Own extends Pick<ShardIds, "ids">>(
  parts: readonly Part[],
  owned: readonly Own[],
  ask: (part: Part, own: Own) => T,
): T[] {
  return parts.map((part, i) => ask(part, present(owned[i], "an instance's ids")));
}

export const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** Rows and versions of all instances, in the order of the ids that were split. */
export function pullFromAll(
  parts: readonly Part[],
  owned: readonly ShardIds[],
  out: Float32Array,
  versions: Uint32Array | undefined,
): void {
  each(parts, owned, (part, { ids, positions }) => {
    const { dimension } = part.spec;
    const rows = new Float32Array(ids.length * dimension);
    const own = versions && new Uint32Array(ids.length);
    part.pull(ids, rows, own);
    scatterRows(rows, dimension, positions, out);
    own?.forEach((version, i) => {
      if (versions) versions[positions[i] as number] = version;
    });
  });
}

/** Changed rows of all instances, by position in the ids that were split. */
export function newerOfAll(
  parts: readonly Part[],
  owned: readonly ShardIds[],
  since: number,
): NewerRows {
  const found = each(parts, owned, (part, own) => {
    const { positions, ...rows } = part.pullNewer(own.ids, since);
    return { ...rows, places: positions.map((i) => own.positions[i] as number) };
  });
  const order = found
    .flatMap(({ places }, part) => Array.from(places, (position, at) => ({ position, part, at })))
    .sort((a, b) => a.position - b.position);
  const dimension = present(parts[0], "a first instance").spec.dimension;
  const values = new Float32Array(order.length * dimension);
  const versions = new Uint32Array(order.length);
  order.forEach(({ part, at }, i) => {
    const rows = present(found[part], "an instance's rows");
    values.set(rows.values.subarray(at * dimension, (at + 1) * dimension), i * dimension);
    versions[i] = rows.versions[at] as number;
  });
  return { positions: Uint32Array.from(order, ({ position }) => position), values, versions };
}

/** The rows of one instance. */
export function rowsAt(
  { values, slots, versions }: TableRows,
  { ids, positions }: ShardIds,
  { dimension }: TableSpec,
  slotWidth: number,
): TableRows {
  return {
    ids,
    values: gathered(values, dimension, positions),
    slots: gathered(slots, slotWidth, positions),
    ...(versions && { versions: Uint32Array.from(positions, (i) => versions[i] as number) }),
  };
}

function gathered(rows: Float32Array, width: number, positions: Int32Array): Float32Array {
  const out = new Float32Array(positions.length * width);
  if (width > 0) gatherRows(rows, width, positions, out);
  return out;
}
