import {
  type FileHeader,
  partsOverlap,
  type TableHeader,
  type TableState,
  type Target,
} from "@heddle/artifact";
import { HeddleError } from "@heddle/base";
import {
  type CountTable,
  type DenseVector,
  gatherRows,
  type ParameterTable,
  splitByShard,
} from "@heddle/kernels";
import { savedTables } from "./frozen.ts";

/** Takes a snapshot's pieces into tables and dense parameters that are still empty. */
export interface Restoring extends Target {
  /**
   * @param step of the cut.
   * @throws {HeddleError} FAILED_PRECONDITION SNAPSHOT_DIFFERS when something declared did not come.
   */
  finish(step: number): void;
}

/** Which ids are this shard's. */
interface Place {
  readonly shard: number;
  readonly shards: number;
}

/** What is restored into. */
interface Fresh {
  readonly tables: ReadonlyMap<string, ParameterTable>;
  readonly dense: ReadonlyMap<string, DenseVector>;
}

/** @param done called when all is there, with the cut's step and the snapshot's clock, which is the step where it has none. */
export function openRestoring(
  { shard, shards }: Place,
  { tables, dense }: Fresh,
  done: (step: number, clock: number) => void,
): Restoring {
  const all = savedTables(tables);
  let clock: number | undefined;
  const collected = new Map(
    [...dense].map(([name, { values, slots }]) => [
      name,
      { all: new Float32Array(values.length + slots.length), filled: 0 },
    ]),
  );
  /** Rows of the base, about: so that tables grow once. */
  const expected = new Map<string, number>();
  const ownShare = (of: Place, rows: number): number => {
    if (of.shards === shards) return of.shard === shard ? rows : 0;
    return Math.floor(rows / shards);
  };
  return {
    header: (header, base) => {
      clock = header.clock;
      for (const [name, { spec, slotsOfRow }] of all) {
        // The snapshot may be of a run that counted nothing.
        if (!tables.has(name) && !has(header, name)) continue;
        const { rows } = checkTable(header, name, spec.dimension, slotsOfRow);
        if (base) expected.set(name, (expected.get(name) ?? 0) + ownShare(header, rows));
      }
      for (const [name, { values, slots }] of dense) {
        checkDense(header, name, values.length, slots.length);
      }
    },
    rows: (name, rows, base) => {
      const table = all.get(name);
      if (table === undefined) return;
      const own = ownRows(withVersionsOf(table, rows), shard, shards);
      const before = table.rows;
      table.load(own, expected.get(name));
      // Files of one layer share no id.
      if (base && table.rows !== before + own.ids.length) {
        throw partsOverlap(`an id of table ${name} is in two of them`);
      }
    },
    dense: (name, from, data) => {
      const own = collected.get(name);
      if (own === undefined) return;
      own.all.set(data, from);
      own.filled = from + data.length;
    },
    finish: (step) => {
      for (const [name, vector] of dense) {
        const { all, filled } = collected.get(name) ?? { all: new Float32Array(), filled: 0 };
        if (filled !== all.length) throw differs(`it has no dense parameter ${name}`);
        const { length } = vector.values;
        vector.restore(all.subarray(0, length), all.subarray(length));
      }
      // Where no version was saved, rows count from the beginning of this run.
      done(step, clock ?? step);
    },
  };
}

/** Versions of another run's clock mean nothing to a table whose rows do not expire. */
function withVersionsOf({ spec }: CountTable, rows: TableState): TableState {
  if (spec.expiry !== undefined) return rows;
  const { versions: _versions, ...rest } = rows;
  return rest;
}

function ownRows(rows: TableState, shard: number, shards: number): TableState {
  if (shards === 1) return rows;
  const { ids, positions } = splitByShard(rows.ids, shards)[shard] as {
    ids: BigUint64Array;
    positions: Int32Array;
  };
  if (ids.length === rows.ids.length) return rows;
  const take = (from: Float32Array): Float32Array => {
    const width = rows.ids.length === 0 ? 0 : from.length / rows.ids.length;
    const out = new Float32Array(ids.length * width);
    if (width > 0) gatherRows(from, width, positions, out);
    return out;
  };
  const { versions, dimension } = rows;
  return {
    ...{ ids, values: take(rows.values), slots: take(rows.slots), dimension },
    ...(versions && { versions: Uint32Array.from(positions, (at) => versions[at] as number) }),
  };
}

const has = ({ tables }: FileHeader, name: string): boolean =>
  tables.some((table) => table.name === name);

function checkTable(
  { tables }: FileHeader,
  name: string,
  dimension: number,
  slotWidth: number,
): TableHeader {
  const saved = tables.find((table) => table.name === name);
  if (saved === undefined) throw differs(`it has no table ${name}`);
  if (saved.dimension !== dimension) {
    throw differs(`its table ${name} has rows of ${saved.dimension} values, not ${dimension}`);
  }
  // A table without rows does not say.
  if (saved.rows > 0) checkSlots(`its table ${name}`, saved.slotWidth, slotWidth);
  return saved;
}

/** A dense parameter lies in one shard's file only. */
function checkDense({ dense }: FileHeader, name: string, values: number, slots: number): void {
  const saved = dense.find((parameter) => parameter.name === name);
  if (saved === undefined) return;
  if (saved.values !== values) {
    throw differs(`its dense parameter ${name} has ${saved.values} values, not ${values}`);
  }
  checkSlots(`its dense parameter ${name}`, saved.slots, slots);
}

function checkSlots(what: string, actual: number, expected: number): void {
  if (actual === expected) return;
  throw differs(`${what} has the slots of another optimiser, ${actual} and not ${expected}`);
}

function differs(why: string): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "SNAPSHOT_DIFFERS",
    `the snapshot is of another model shape: ${why}; warm-start from a version of the same architecture, or train without a parent`,
  );
}
