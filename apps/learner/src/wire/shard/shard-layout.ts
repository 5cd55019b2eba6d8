import { assert, HeddleError, present } from "@heddle/base";
import { gatherRows, keyListName, scatterRows, type ShardIds, splitByShard } from "@heddle/kernels";
import { RowFormat } from "@heddle/proto/parameter-server";
import type { Parameters } from "../../parameters.ts";
import { formatOf } from "./row-format.ts";
import type { Loan, Memory } from "./loan.ts";
import type { Gradients, Pulled, RunDeclaration } from "../wire.ts";

type DenseParameter = Parameters["dense"][number];

/** What one shard keeps of a run, and how calls are split over all of them, whatever carries the calls. */
export interface ShardLayout {
  /** Dense parameters of each shard, in order of their declaration to it. */
  readonly dense: readonly (readonly DenseParameter[])[];
  /** Parts may be views of the ids. */
  split(ids: BigUint64Array): readonly Part[];
  /** A shard's part of gradients: rows by table in order of declaration, dense values one after the other; copies, where anything carries them. */
  gradientsOf(
    shard: number,
    positions: Int32Array,
    gradients: Gradients,
    memory: Memory,
  ): ShardValues;
  readonly tables: RunDeclaration["tables"];
}

/** A shard's part of a list of ids. */
export interface Part extends ShardIds {
  /** By which the shard knows it; 0 for an empty one, and where lists have no names. */
  readonly name: bigint;
  /** Whether the shard was told. */
  known: boolean;
}

/** Puts the shards' answers together, each as it comes. */
export interface Assembly {
  /**
   * Copies a shard's answer to its place. What is the whole already, and lies in the caller's memory, is its place.
   *
   * @param wanted by table, which ids of the shard's part it has rows for; all when absent.
   * @throws {HeddleError} INTERNAL BAD_SHARD_ANSWER when it is not what was asked for.
   */
  take(shard: number, answer: ShardValues, wanted?: readonly Int32Array[]): void;
  /** Copies rows that were there already to theirs. @param which ids of the shard's part they are, shape [rows]. */
  place(shard: number, table: number, which: Int32Array, own: Float32Array): void;
  /** What the step reads, once every shard has answered. */
  whole(): Pulled;
}

/** Values of one shard. */
interface ShardValues {
  /** By table in order of declaration, shape [the shard's ids, dimension]. */
  readonly rows: readonly Float32Array[];
  /** One parameter after the other. */
  readonly dense: Float32Array;
}

/** Ids go to shards by hash, dense parameters to the shard that has least yet; the bytes of a run depend on neither. */
export function layOut(
  { tables, dense }: RunDeclaration,
  shards: number,
  inProcess = false,
): ShardLayout {
  const denseOf = assignDense(dense, shards);
  return {
    dense: denseOf,
    tables,
    split: (ids) =>
      splitByShard(ids, shards).map((part) => {
        const name = inProcess || part.ids.length === 0 ? 0n : keyListName(part.ids);
        return { ...part, name, known: false };
      }),
    gradientsOf: (shard, positions, gradients, memory) => ({
      rows: tables.map((table) => {
        const { name, dimension } = table;
        const all = gradients.rows[name] ?? new Float32Array();
        // What travels in fewer bytes is packed where it lies, which must not be the step's memory.
        const isPacked = formatOf(table) !== RowFormat.UNSPECIFIED;
        if (shards === 1 && inProcess && !isPacked) return all;
        const out = memory(positions.length * dimension);
        const from = dimension * (positions[0] ?? 0);
        if (lieTogether(positions)) out.set(all.subarray(from, from + out.length));
        else gatherRows(all, dimension, positions, out);
        return out;
      }),
      dense: concatenated(denseOf[shard] ?? [], gradients.dense, memory),
    }),
  };
}

/** Opens the answer to a pull in memory of the caller's. */
export function openAssembly(
  { tables, dense }: ShardLayout,
  parts: readonly Part[],
  loan: Pick<Loan, "memory" | "holds">,
): Assembly {
  const ids = parts.reduce((sum, { positions }) => sum + positions.length, 0);
  const rows: Float32Array[] = [];
  const values: Float32Array[] = [];
  const rowsOf = (t: number): Float32Array =>
    (rows[t] ??= loan.memory(ids * present(tables[t], "a table").dimension));
  const kept = (own: Float32Array): Float32Array => {
    if (loan.holds(own)) return own;
    const copy = loan.memory(own.length);
    copy.set(own);
    return copy;
  };
  const place = (shard: number, t: number, which: Int32Array, own: Float32Array): void => {
    const { positions } = present(parts[shard], "a shard's part");
    const places = which.map((at) => positions[at] as number);
    scatterRows(own, present(tables[t], "a table").dimension, places, rowsOf(t));
  };
  return {
    place,
    take: (shard, answer, wanted) => {
      const { positions } = present(parts[shard], "a shard's part");
      tables.forEach(({ name, dimension }, t) => {
        const own = answer.rows[t] ?? new Float32Array();
        const which = wanted?.[t];
        if (own.length !== (which ?? positions).length * dimension) {
          throw badAnswer(shard, `${own.length} values of table ${name}`);
        }
        if (which !== undefined && which.length < positions.length) place(shard, t, which, own);
        else if (parts.length === 1) rows[t] = kept(own);
        else if (lieTogether(positions)) rowsOf(t).set(own, dimension * (positions[0] ?? 0));
        else scatterRows(own, dimension, positions, rowsOf(t));
      });
      const length = lengthOf(dense[shard] ?? []);
      if (answer.dense.length !== length) {
        throw badAnswer(shard, `${answer.dense.length} of ${length} dense values`);
      }
      values[shard] = kept(answer.dense);
    },
    whole: () => ({
      rows: Object.fromEntries(tables.map(({ name }, t) => [name, rowsOf(t)])),
      dense: Object.fromEntries(
        dense.flatMap((parameters, shard) => cut(parameters, present(values[shard], "values"))),
      ),
    }),
  };
}

/** Whether ascending positions follow one another, as those of a batch that is grouped by shard do. */
const lieTogether = (positions: Int32Array): boolean =>
  positions.length === 0 || (positions.at(-1) ?? 0) - (positions[0] ?? 0) === positions.length - 1;

const lengthOf = (parameters: readonly DenseParameter[]): number =>
  parameters.reduce((sum, { initial }) => sum + initial.length, 0);

export function badAnswer(shard: number, what: string): HeddleError {
  return new HeddleError(
    "INTERNAL",
    "BAD_SHARD_ANSWER",
    `shard ${shard} answered ${what}, which is not what was asked: both must be of one release`,
  );
}

/** Largest first, each to the shard with the fewest values. */
function assignDense(dense: readonly DenseParameter[], shards: number): DenseParameter[][] {
  const assigned: DenseParameter[][] = Array.from({ length: shards }, () => []);
  const loads = new Array<number>(shards).fill(0);
  for (const parameter of dense.toSorted((a, b) => b.initial.length - a.initial.length)) {
    const shard = loads.indexOf(Math.min(...loads));
    assigned[shard]?.push(parameter);
    loads[shard] = (loads[shard] ?? 0) + parameter.initial.length;
  }
  return assigned;
}

function concatenated(
  parameters: readonly DenseParameter[],
  values: Readonly<Record<string, Float32Array>>,
  memory: Memory,
): Float32Array {
  const out = memory(lengthOf(parameters));
  let at = 0;
  for (const { name, initial } of parameters) {
    const own = values[name] ?? new Float32Array(initial.length);
    assert(own.length === initial.length, `a gradient of ${name} for each of its values`);
    out.set(own, at);
    at += initial.length;
  }
  return out;
}

function cut(
  parameters: readonly DenseParameter[],
  values: Float32Array,
): (readonly [string, Float32Array])[] {
  let at = 0;
  return parameters.map(({ name, initial }) => {
    const end = at + initial.length;
    const own = values.subarray(at, end);
    at = end;
    return [name, own] as const;
  });
}
