import { present } from "@heddle/base";
import { createDense, createTable } from "@heddle/kernels";
import type { Gradients, Pulled } from "../wire/wire.ts";
import type { Parameters } from "../parameters.ts";

/** A run's parameters in this process, on the shards' own kernels. */
export interface ParameterStore {
  /** Updates applied. */
  readonly applied: number;
  pull(ids: BigUint64Array): Pulled;
  /** @throws {HeddleError} INVALID_ARGUMENT NOT_FINITE. */
  push(ids: BigUint64Array, gradients: Gradients): void;
}

const rowsMax = 2 ** 31;

export function openStore({ tables, dense }: Parameters): ParameterStore {
  // Admission and expiry go by the numbers of pushes.
  const rows = new Map(
    tables.map((spec) => [spec.name, createTable({ ...spec, rowsMax, versions: true })]),
  );
  const vectors = new Map(
    dense.map(({ name, initial, optimizer }) => [name, createDense(initial, optimizer)]),
  );
  let applied = 0;
  return {
    get applied() {
      return applied;
    },
    pull: (ids) => ({
      rows: mapped(rows, (table) => {
        const out = new Float32Array(ids.length * table.spec.dimension);
        table.pull(ids, out);
        return out;
      }),
      dense: mapped(vectors, ({ values }) => values.slice()),
    }),
    push: (ids, gradients) => {
      for (const [name, table] of rows) {
        table.push(ids, present(gradients.rows[name], `gradients of ${name}`), applied + 1);
      }
      for (const [name, vector] of vectors) {
        vector.push(present(gradients.dense[name], `gradients of ${name}`));
      }
      applied += 1;
    },
  };
}

const mapped = <V>(
  map: ReadonlyMap<string, V>,
  of: (value: V) => Float32Array,
): Record<string, Float32Array> =>
  Object.fromEntries([...map].map(([name, value]) => [name, of(value)]));
