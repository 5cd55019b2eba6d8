import { mergeParameters, type ParameterState, type TableState } from "@heddle/artifact";
import { HeddleError } from "@heddle/base";
import {
  checkGradients,
  checkLength,
  createDense,
  createTable,
  type DenseVector,
  type ParameterTable,
  shardOf,
} from "@heddle/kernels";

/** What a run keeps on one shard. */
export interface Declaration {
  /** This shard's number, from 0. */
  readonly shard: number;
  readonly shards: number;
  readonly tables: readonly TableDeclaration[];
  /** Dense parameters that the learner gave to this shard. */
  readonly dense: readonly DenseDeclaration[];
}

export interface TableDeclaration {
  readonly name: string;
  readonly dimension: number;
  readonly rate: number;
  readonly initialAccumulator: number;
  readonly initialDeviation: number;
  readonly seed: number;
}

export interface DenseDeclaration {
  readonly name: string;
  readonly initial: Float32Array;
  readonly rate: number;
  readonly initialAccumulator: number;
}

export interface RowGradients {
  readonly table: string;
  /** Without repetition. */
  readonly ids: BigUint64Array;
  /** shape [ids, dimension]. */
  readonly gradients: Float32Array;
}

/** Parameters and slots of one shard in memory: what they are, not when they may change (that is `StepOrder`). */
export interface Shard {
  /** Rows of all tables. */
  readonly rows: number;
  /** Memory of tables and dense parameters, in bytes. */
  readonly bytes: number;
  /**
   * Copies rows.
   *
   * @returns shape [ids, dimension].
   * @throws {HeddleError} NOT_FOUND UNKNOWN_TABLE.
   */
  pull(table: string, ids: BigUint64Array): Float32Array;
  /** All dense values in order of declaration, copied one after the other. */
  pullDense(): Float32Array;
  /**
   * Applies the gradients of one step, or nothing of them.
   *
   * @param dense gradients of all dense parameters in order of declaration.
   * @throws {HeddleError} NOT_FINITE, WRONG_SIZE, UNKNOWN_TABLE, TABLE_FULL.
   */
  push(tables: readonly RowGradients[], dense: Float32Array): void;
  /**
   * All that `push` would refuse now.
   *
   * @throws {HeddleError} as `push`.
   */
  check(tables: readonly RowGradients[], dense: Float32Array): void;
  /** A copy of everything, rows ascending by id. */
  state(): ParameterState;
  /**
   * Replaces everything by what of a snapshot's parts belongs to this shard.
   *
   * @throws {HeddleError} FAILED_PRECONDITION SNAPSHOT_DIFFERS when the parts are of another declaration.
   */
  restore(parts: readonly ParameterState[]): void;
  /** Back to the initial state. */
  reset(): void;
}

/** Adagrad divides by √accumulator + this; TensorFlow's default. */
const adagradEpsilon = 1e-7;

export function openShard(declaration: Declaration, rowsMax: number): Shard {
  let tables = freshTables(declaration, rowsMax);
  let dense = freshDense(declaration);
  const denseLength = declaration.dense.reduce((sum, { initial }) => sum + initial.length, 0);
  const tableOf = (name: string): ParameterTable => tables.get(name) ?? unknownTable(name, tables);

  const check: Shard["check"] = (gradients, denseGradients) => {
    for (const rows of gradients) checkRows(tableOf(rows.table), rows);
    checkDense(denseGradients, denseLength);
  };
  return {
    check,
    get rows() {
      return sum([...tables.values()].map((table) => table.rows));
    },
    get bytes() {
      return sum([...tables.values()].map((table) => table.bytes)) + denseLength * 8;
    },
    pull: (name, ids) => {
      const table = tableOf(name);
      const out = new Float32Array(ids.length * table.spec.dimension);
      table.pull(ids, out);
      return out;
    },
    pullDense: () => {
      const out = new Float32Array(denseLength);
      let at = 0;
      for (const { values } of dense.values()) {
        out.set(values, at);
        at += values.length;
      }
      return out;
    },
    push: (gradients, denseGradients) => {
      check(gradients, denseGradients);
      for (const { table, ids, gradients: rows } of gradients) tableOf(table).push(ids, rows);
      pushDense(dense.values(), denseGradients);
    },
    state: () => ({
      tables: Object.fromEntries(
        [...tables].map(([name, table]) => [
          name,
          { ...table.snapshot(), dimension: table.spec.dimension },
        ]),
      ),
      dense: Object.fromEntries(
        [...dense].map(([name, { values, slots }]) => [
          name,
          { values: values.slice(), slots: slots.slice() },
        ]),
      ),
    }),
    restore: (parts) => {
      const { shard, shards } = declaration;
      const merged = mergeParameters(parts, (id) => shardOf(id, shards) === shard);
      const newTables = freshTables(declaration, rowsMax);
      const newDense = freshDense(declaration);
      for (const [name, table] of newTables) restoreTable(name, table, merged.tables[name]);
      for (const [name, vector] of newDense) restoreDense(name, vector, merged);
      tables = newTables;
      dense = newDense;
    },
    reset: () => {
      tables = freshTables(declaration, rowsMax);
      dense = freshDense(declaration);
    },
  };
}

function freshTables({ tables }: Declaration, rowsMax: number): Map<string, ParameterTable> {
  return new Map(
    tables.map(({ name, dimension, rate, initialAccumulator, initialDeviation, seed }) => {
      const optimizer = {
        kind: "adagrad",
        rate,
        initialAccumulator,
        epsilon: adagradEpsilon,
      } as const;
      return [name, createTable({ dimension, optimizer, initialDeviation, seed, rowsMax })];
    }),
  );
}

function freshDense({ dense }: Declaration): Map<string, DenseVector> {
  return new Map(
    dense.map(({ name, initial, rate, initialAccumulator }) => [
      name,
      createDense(initial, { kind: "adagrad", rate, initialAccumulator, epsilon: adagradEpsilon }),
    ]),
  );
}

/** All that a table's push could refuse, asked beforehand: a push over several tables is applied whole or not at all. */
function checkRows(table: ParameterTable, { table: name, ids, gradients }: RowGradients): void {
  const { dimension, rowsMax } = table.spec;
  checkLength(gradients.length, ids.length * dimension, `the gradients of table ${name}`);
  checkGradients(gradients, `table ${name}`);
  // How many ids are new is known only by looking each up, so the last push before the limit counts all of its ids.
  if (table.rows + ids.length > rowsMax) {
    throw new HeddleError(
      "RESOURCE_EXHAUSTED",
      "TABLE_FULL",
      `table ${name} holds ${table.rows} of at most ${rowsMax} rows and ${ids.length} more may come; nothing was applied: use more shards, or hash its inputs into fewer ids`,
      { metadata: { table: name, rowsMax: String(rowsMax) } },
    );
  }
  table.makeRoom(ids);
}

function checkDense(gradients: Float32Array, length: number): void {
  checkLength(gradients.length, length, "the dense gradients of a push");
  checkGradients(gradients, "the dense parameters");
}

function pushDense(vectors: Iterable<DenseVector>, gradients: Float32Array): void {
  let at = 0;
  for (const vector of vectors) {
    vector.push(gradients.subarray(at, at + vector.values.length));
    at += vector.values.length;
  }
}

function restoreTable(name: string, table: ParameterTable, saved: TableState | undefined): void {
  if (saved === undefined) throw differs(`it has no table ${name}`);
  if (saved.dimension !== table.spec.dimension) {
    throw differs(
      `its table ${name} has rows of ${saved.dimension} values, not ${table.spec.dimension}`,
    );
  }
  table.restore(saved);
}

function restoreDense(name: string, vector: DenseVector, saved: ParameterState): void {
  const state = saved.dense[name];
  if (state === undefined) throw differs(`it has no dense parameter ${name}`);
  if (state.values.length !== vector.values.length) {
    throw differs(
      `its dense parameter ${name} has ${state.values.length} values, not ${vector.values.length}`,
    );
  }
  vector.restore(state.values, state.slots);
}

function differs(why: string): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "SNAPSHOT_DIFFERS",
    `the snapshot is of another model shape: ${why}; warm-start from a version of the same architecture, or train without a parent`,
  );
}

function unknownTable(name: string, tables: ReadonlyMap<string, unknown>): never {
  throw new HeddleError(
    "NOT_FOUND",
    "UNKNOWN_TABLE",
    `no table ${name} was declared; declared are ${[...tables.keys()].join(", ")}`,
  );
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
