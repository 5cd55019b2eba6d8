import type { ParameterState } from "@heddle/artifact";
import { HeddleError } from "@heddle/base";
import {
  checkGradients,
  checkLength,
  createDense,
  createTable,
  type DenseVector,
  type ParameterTable,
} from "@heddle/kernels";
import { freezeShard, type FrozenShard } from "./frozen.ts";
import { openRestoring, type Restoring } from "./restoring.ts";

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
   * @param version of what changes: the step, so that a cut can ask for what changed since another.
   * @throws {HeddleError} NOT_FINITE, WRONG_SIZE, UNKNOWN_TABLE, TABLE_FULL, VERSION_INVALID.
   */
  push(tables: readonly RowGradients[], dense: Float32Array, version: number): void;
  /** A copy of everything, rows ascending by id. */
  state(): ParameterState;
  /**
   * Takes a cut; there is one at a time.
   *
   * @param since only rows changed by pushes of later steps; all of them when absent.
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

/** Adagrad divides by √accumulator + this; TensorFlow's default. */
const adagradEpsilon = 1e-7;

export function openShard(declaration: Declaration, rowsMax: number): Shard {
  let tables = freshTables(declaration, rowsMax);
  let dense = freshDense(declaration);
  const denseLength = declaration.dense.reduce((sum, { initial }) => sum + initial.length, 0);
  const tableOf = (name: string): ParameterTable => tables.get(name) ?? unknownTable(name, tables);

  return {
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
    push: (gradients, denseGradients, version) => {
      for (const { table, ids, gradients: rows } of gradients) {
        checkRows(tableOf(table), table, ids, rows);
      }
      checkLength(denseGradients.length, denseLength, "the dense gradients of a push");
      checkGradients(denseGradients, "the dense parameters");
      for (const { table, ids, gradients: rows } of gradients) {
        tableOf(table).push(ids, rows, version);
      }
      let at = 0;
      for (const vector of dense.values()) {
        vector.push(denseGradients.subarray(at, at + vector.values.length));
        at += vector.values.length;
      }
    },
    state: () => stateOf(tables, dense),
    freeze: (since) => freezeShard(tables, dense, since),
    startRestore: () => {
      const fresh = { tables: freshTables(declaration, rowsMax), dense: freshDense(declaration) };
      return openRestoring(declaration, fresh, () => ({ tables, dense } = fresh));
    },
    reset: () => {
      tables = freshTables(declaration, rowsMax);
      dense = freshDense(declaration);
    },
  };
}

function stateOf(
  tables: ReadonlyMap<string, ParameterTable>,
  dense: ReadonlyMap<string, DenseVector>,
): ParameterState {
  return {
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
      return [
        name,
        createTable({ dimension, optimizer, initialDeviation, seed, rowsMax, versions: true }),
      ];
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
function checkRows(
  table: ParameterTable,
  name: string,
  ids: BigUint64Array,
  gradients: Float32Array,
): void {
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

function unknownTable(name: string, tables: ReadonlyMap<string, unknown>): never {
  throw new HeddleError(
    "NOT_FOUND",
    "UNKNOWN_TABLE",
    `no table ${name} was declared; declared are ${[...tables.keys()].join(", ")}`,
  );
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
