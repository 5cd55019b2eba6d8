import { assert, HeddleError } from "@heddle/base";
import { copyRow } from "./copy-row.ts";
import type { DenseState, ParameterState, TableState } from "./parameter-file.ts";

/**
 * One state of several parts that share no id and no dense parameter: the shards of a snapshot. The result
 * does not depend on how many parts there were, nor on their order.
 *
 * @param keep the ids to take; all of them when absent.
 * @throws {HeddleError} DATA_LOSS PARTS_OVERLAP when two parts hold the same id or dense parameter, or disagree
 *   about a table's dimension: they are not shards of one snapshot.
 */
export function mergeParameters(
  parts: readonly ParameterState[],
  keep?: (id: bigint) => boolean,
): ParameterState {
  const names = [...new Set(parts.flatMap((part) => Object.keys(part.tables)))];
  const tables = names.map((name) => {
    const states = parts.flatMap((part) => part.tables[name] ?? []);
    return [name, mergeTables(name, states, keep)] as const;
  });
  const dense: Record<string, DenseState> = {};
  for (const [name, state] of parts.flatMap((part) => Object.entries(part.dense))) {
    if (dense[name] !== undefined) throw partsOverlap(`dense parameter ${name} is in two of them`);
    dense[name] = state;
  }
  return { tables: Object.fromEntries(tables), dense, ...clockOf(parts) };
}

/** Shards of one cut stand after the same push. */
function clockOf(parts: readonly ParameterState[]): Pick<ParameterState, "clock"> {
  const [first] = parts;
  if (parts.some(({ clock }) => clock !== first?.clock)) {
    throw partsOverlap("they are of different steps");
  }
  return first?.clock === undefined ? {} : { clock: first.clock };
}

function mergeTables(
  name: string,
  states: readonly TableState[],
  keep: ((id: bigint) => boolean) | undefined,
): TableState {
  const dimension = states[0]?.dimension ?? 0;
  if (states.some((state) => state.dimension !== dimension)) {
    throw partsOverlap(`table ${name} has two dimensions`);
  }
  const { parts, rows } = orderById(name, states, keep);
  const slotWidth = slotWidthOf(states);
  const merged = {
    ids: new BigUint64Array(rows.length),
    values: new Float32Array(rows.length * dimension),
    slots: new Float32Array(rows.length * slotWidth),
    dimension,
    ...(states.some(({ versions }) => versions) && { versions: new Uint32Array(rows.length) }),
  };
  for (let to = 0; to < rows.length; to++) {
    const state = states[parts[to] as number] as TableState;
    const row = rows[to] as number;
    merged.ids[to] = state.ids[row] as bigint;
    copyRow(state.values, row, merged.values, to, dimension);
    copyRow(state.slots, row, merged.slots, to, slotWidth);
    if (merged.versions) merged.versions[to] = state.versions?.[row] ?? 0;
  }
  return merged;
}

/** Where the rows in ascending order of id lie: part and row in it. Parts are few, so each head is looked at. */
function orderById(
  name: string,
  states: readonly TableState[],
  keep: ((id: bigint) => boolean) | undefined,
): { readonly parts: Int32Array; readonly rows: Int32Array } {
  const total = states.reduce((sum, state) => sum + state.ids.length, 0);
  const parts = new Int32Array(total);
  const rows = new Int32Array(total);
  const heads = new Int32Array(states.length);
  let kept = 0;
  let last = -1n;
  for (let taken = 0; taken < total; taken++) {
    let least = -1;
    let leastId = 0n;
    for (let part = 0; part < states.length; part++) {
      const id = states[part]?.ids[heads[part] as number];
      if (id === undefined || (least >= 0 && id >= leastId)) continue;
      least = part;
      leastId = id;
    }
    if (leastId <= last)
      throw partsOverlap(`id ${leastId} of table ${name} comes twice or out of order`);
    last = leastId;
    const row = heads[least] as number;
    heads[least] = row + 1;
    if (keep !== undefined && !keep(leastId)) continue;
    parts[kept] = least;
    rows[kept++] = row;
  }
  return { parts: parts.subarray(0, kept), rows: rows.subarray(0, kept) };
}

function slotWidthOf(states: readonly TableState[]): number {
  const filled = states.find((state) => state.ids.length > 0);
  if (filled === undefined) return 0;
  const width = filled.slots.length / filled.ids.length;
  assert(Number.isInteger(width), "slots are whole rows");
  return width;
}

/** Files named together are not of one cut. */
export function partsOverlap(why: string): HeddleError {
  return new HeddleError(
    "DATA_LOSS",
    "PARTS_OVERLAP",
    `the files are not the shards of one snapshot: ${why}; name the files of one snapshot manifest`,
  );
}
