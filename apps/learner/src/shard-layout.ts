import { HeddleError } from "@heddle/base";
import { gatherRows, scatterRows, type ShardIds, splitByShard } from "@heddle/kernels";
import type { Network } from "./network.ts";
import type { Gradients, Pulled, RunDeclaration } from "./wire.ts";

type DenseParameter = Network["dense"][number];

/** What one shard keeps of a run, and how calls are split over all of them, whatever carries the calls. */
export interface ShardLayout {
  /** Dense parameters of each shard, in order of their declaration to it. */
  readonly dense: readonly (readonly DenseParameter[])[];
  split(ids: BigUint64Array): readonly ShardIds[];
  /** A shard's part of gradients: rows by table in order of declaration, dense values one after the other. */
  gradientsOf(shard: number, positions: Int32Array, gradients: Gradients): ShardValues;
  /**
   * The shards' answers as one.
   *
   * @throws {HeddleError} INTERNAL BAD_SHARD_ANSWER when one is not what was asked for.
   */
  assemble(parts: readonly ShardIds[], answers: readonly ShardValues[]): Pulled;
}

/** Values of one shard. */
export interface ShardValues {
  /** By table in order of declaration, shape [the shard's ids, dimension]. */
  readonly rows: readonly Float32Array[];
  /** One parameter after the other. */
  readonly dense: Float32Array;
}

/** Ids go to shards by hash, dense parameters to the shard that has least yet; the bytes of a run depend on neither. */
export function layOut({ tables, dense }: RunDeclaration, shards: number): ShardLayout {
  const denseOf = assignDense(dense, shards);
  return {
    dense: denseOf,
    split: (ids) => splitByShard(ids, shards),
    gradientsOf: (shard, positions, gradients) => ({
      rows: tables.map(({ name, dimension }) => {
        const out = new Float32Array(positions.length * dimension);
        gatherRows(gradients.rows[name] ?? new Float32Array(), dimension, positions, out);
        return out;
      }),
      dense: concatenated(denseOf[shard] ?? [], gradients.dense),
    }),
    assemble: (parts, answers) => {
      const ids = parts.reduce((sum, { positions }) => sum + positions.length, 0);
      const rows = tables.map(({ name, dimension }, t) => {
        const out = new Float32Array(ids * dimension);
        answers.forEach((answer, shard) => {
          const positions = parts[shard]?.positions ?? new Int32Array();
          const own = answer.rows[t] ?? new Float32Array();
          if (own.length !== positions.length * dimension) {
            throw badAnswer(shard, `${own.length} values of table ${name}`);
          }
          scatterRows(own, dimension, positions, out);
        });
        return [name, out] as const;
      });
      const values = answers.flatMap((answer, shard) => cut(denseOf[shard] ?? [], answer, shard));
      return { rows: Object.fromEntries(rows), dense: Object.fromEntries(values) };
    },
  };
}

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
): Float32Array {
  const out = new Float32Array(parameters.reduce((sum, { initial }) => sum + initial.length, 0));
  let at = 0;
  for (const { name, initial } of parameters) {
    out.set(values[name] ?? [], at);
    at += initial.length;
  }
  return out;
}

function cut(
  parameters: readonly DenseParameter[],
  { dense }: ShardValues,
  shard: number,
): (readonly [string, Float32Array])[] {
  let at = 0;
  return parameters.map(({ name, initial }) => {
    const end = at + initial.length;
    if (end > dense.length) throw badAnswer(shard, `too few values of ${name}`);
    const values = dense.subarray(at, end);
    at = end;
    return [name, values] as const;
  });
}
