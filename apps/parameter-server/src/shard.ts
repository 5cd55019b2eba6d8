import type { ParameterState } from "@heddle/artifact";
import { assert, HeddleError } from "@heddle/base";
import {
  checkLength,
  createDense,
  createTable,
  type DenseVector,
  type ParameterTable,
} from "@heddle/kernels";
import { float32Of } from "@heddle/tensor";
import { denseState, freezeTables, type FrozenShard, tableStates } from "./cuts/frozen.ts";
import { openRestoring, type Restoring } from "./cuts/restoring.ts";
import { type ShardTurnover, turnoverOf } from "./turnover.ts";
import type { Declaration } from "./run/declaration.ts";

export interface RowGradients {
  readonly table: string;
  /** Without repetition. */
  readonly ids: BigUint64Array;
  /** shape [ids, dimension]. */
  readonly gradients: Float32Array;
}

/** Memory of that many bytes, aligned to 8, with whatever was in it. */
export type Room = (bytes: number) => Uint8Array;

/** Parameters and slots of one shard in memory: what they are, not when they may change (that is `StepOrder`). */
export interface Shard {
  /** Rows of all tables. */
  readonly rows: number;
  /** What became of rows of all tables since the shard was restored. */
  readonly turnover: ShardTurnover;
  /** Memory of tables and dense parameters, in bytes. */
  readonly bytes: number;
  /**
   * Copies rows.
   *
   * @param room where to; new memory when absent.
   * @returns shape [ids, dimension].
   * @throws {HeddleError} NOT_FOUND UNKNOWN_TABLE.
   */
  pull(table: string, ids: BigUint64Array, room?: Room): Float32Array;
  /** All dense values in order of declaration, copied one after the other. */
  pullDense(room?: Room): Float32Array;
  /**
   * Applies the gradients of one step, or nothing of them.
   *
   * @param dense gradients of all dense parameters in order of declaration.
   * @param version of the rows from now on, if their table keeps it: this push's number, above that of the push before. One more
   * than that when absent.
   * @throws {HeddleError} NOT_FINITE, WRONG_SIZE, UNKNOWN_TABLE, TABLE_FULL.
   */
  push(tables: readonly RowGradients[], dense: Float32Array, version?: number): void;
  /**
   * All that `push` would refuse now.
   *
   * @throws {HeddleError} as `push`.
   */
  check(tables: readonly RowGradients[], dense: Float32Array): void;
  /** A copy of everything, rows ascending by id. */
  state(): ParameterState;
  /**
   * Takes a cut that is read while pushes go on.
   *
   * @param since leaves out rows that no push after this version changed; all tables must keep versions then.
   * @throws {HeddleError} FAILED_PRECONDITION TABLE_FROZEN when there is one that was not released, NO_VERSIONS; RESOURCE_EXHAUSTED
   * TABLE_FULL.
   */
  freeze(since?: number): FrozenShard;
  /**
   * Takes what of a snapshot belongs to this shard, which replaces everything when it is finished.
   *
   * @throws {HeddleError} FAILED_PRECONDITION SNAPSHOT_DIFFERS when the files are of another declaration; as `readLayers`.
   */
  startRestore(): Restoring;
  /** Back to the initial state. */
  reset(): void;
}

export function openShard(declaration: Declaration, rowsMax: number): Shard {
  const fresh = () => freshParameters(declaration, rowsMax);
  let { tables, dense } = fresh();
  /** The number of the last push, and what to add to it for the clock of tables, which goes on where a parent's ended. */
  let version = 0;
  let clockBase = 0;
  const ages = declaration.tables.some(({ expiry }) => expiry !== undefined);
  const clock = (): number => clockBase + version;
  const aged = () => (ages ? { clock: clock() } : {});
  const denseLength = declaration.dense.reduce((sum, { initial }) => sum + initial.length, 0);
  const prepared = (
    gradients: readonly RowGradients[],
    denseGradients: Float32Array,
    given: number,
  ): readonly (() => void)[] => {
    const pushes = prepareTables(tables, gradients, clockBase + given);
    checkLength(denseGradients.length, denseLength, "the dense gradients of a push");
    return [...pushes, ...prepareDense(dense, denseGradients)];
  };
  return {
    check: (gradients, denseGradients) => void prepared(gradients, denseGradients, version + 1),
    get rows() {
      return sum([...tables.values()].map((table) => table.rows));
    },
    get turnover() {
      return turnoverOf(tables.values());
    },
    get bytes() {
      return sum([...tables.values(), ...dense.values()].map(({ bytes }) => bytes));
    },
    pull: (name, ids, room) => {
      const table = tableOf(tables, name);
      const out = valuesIn(room, ids.length * table.spec.dimension);
      table.pull(ids, out);
      return out;
    },
    pullDense: (room) => joined(dense, valuesIn(room, denseLength)),
    push: (gradients, denseGradients, given = version + 1) => {
      assert(given >= version, "pushes come in the order of their numbers");
      for (const apply of prepared(gradients, denseGradients, given)) apply();
      version = given;
      for (const table of tables.values()) table.advance(clock());
    },
    state: () => ({ tables: tableStates(tables), dense: denseState(dense), ...aged() }),
    freeze: (since) => ({
      ...{ version, ...aged() },
      ...freezeTables(tables, since === undefined ? undefined : clockBase + since),
      dense: denseState(dense),
    }),
    startRestore: () => {
      const restored = fresh();
      return openRestoring(declaration, restored, (step, at) => {
        ({ tables, dense } = restored);
        [version, clockBase] = [step, ages ? at - step : 0];
        // Rows of older layers that expired before the cut go.
        for (const table of tables.values()) settle(table, clock());
      });
    },
    reset: () => {
      ({ tables, dense } = fresh());
      [version, clockBase] = [0, 0];
    },
  };
}

function freshParameters({ tables, dense }: Declaration, rowsMax: number) {
  return {
    tables: new Map(tables.map(({ name, ...spec }) => [name, createTable({ ...spec, rowsMax })])),
    dense: new Map(
      dense.map(({ name, initial, optimizer }) => [name, createDense(initial, optimizer)]),
    ),
  };
}

function settle(table: ParameterTable, clock: number): void {
  table.advance(clock);
  table.sweep();
}

/** A push over several tables and dense parameters is applied whole or not at all. */
function prepareTables(
  tables: ReadonlyMap<string, ParameterTable>,
  gradients: readonly RowGradients[],
  version: number,
): readonly (() => void)[] {
  return gradients.map(({ table, ids, gradients: rows }) =>
    tableOf(tables, table).prepare(ids, rows, `table ${table}`, version),
  );
}

/** Copies all dense values to `out`, one parameter after the other. */
function joined(dense: ReadonlyMap<string, DenseVector>, out: Float32Array): Float32Array {
  let at = 0;
  for (const { values } of dense.values()) {
    out.set(values, at);
    at += values.length;
  }
  return out;
}

function valuesIn(room: Room | undefined, values: number): Float32Array {
  return room === undefined ? new Float32Array(values) : float32Of(room(values * 4));
}

function prepareDense(
  dense: ReadonlyMap<string, DenseVector>,
  gradients: Float32Array,
): readonly (() => void)[] {
  let at = 0;
  return [...dense].map(([name, vector]) => {
    const from = at;
    at += vector.values.length;
    return vector.prepare(gradients.subarray(from, at), `dense parameter ${name}`);
  });
}

function tableOf(tables: ReadonlyMap<string, ParameterTable>, name: string): ParameterTable {
  const table = tables.get(name);
  if (table !== undefined) return table;
  throw new HeddleError(
    "NOT_FOUND",
    "UNKNOWN_TABLE",
    `no table ${name} was declared; declared are ${[...tables.keys()].join(", ")}`,
  );
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
