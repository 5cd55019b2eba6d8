import type { ParameterState } from "@heddle/artifact";
import type { CountTable, DenseVector, FrozenView, ParameterTable } from "@heddle/kernels";
import type { CutTable } from "./encoder.ts";

/** A shard as it was at one moment. It stays what it is when the shard is restored or reset. */
export interface FrozenShard {
  /** The number of the last push that it has. */
  readonly version: number;
  /** The push after which it stands, counted on through the runs before; where rows expire. */
  readonly clock?: number;
  /** Tables in order of declaration, and what they count. */
  readonly tables: readonly (CutTable & { readonly view: FrozenView })[];
  /** Copies of all dense parameters, by name. */
  readonly dense: ParameterState["dense"];
  /** Ends it; a second call does nothing. */
  release(): void;
}

/** Takes a cut of all tables or of none. */
export function freezeTables(
  tables: ReadonlyMap<string, ParameterTable>,
  since: number | undefined,
): Pick<FrozenShard, "tables" | "release"> {
  const frozen: (CutTable & { view: FrozenView })[] = [];
  const release = (): void => {
    for (const { view } of frozen) view.release();
  };
  try {
    for (const [name, table] of savedTables(tables)) {
      const { dimension, expiry } = table.spec;
      const versions = expiry !== undefined;
      frozen.push({ name, dimension, ...(versions && { versions }), view: table.freeze(since) });
    }
  } catch (error) {
    release();
    throw error;
  }
  return { tables: frozen, release };
}

/** What snapshots have as tables: each, and beside it the ids that it counts. */
export function savedTables<T extends Pick<ParameterTable, "counts">>(
  tables: ReadonlyMap<string, T>,
): ReadonlyMap<string, T | CountTable> {
  return new Map(
    [...tables].flatMap(([name, table]): [string, T | CountTable][] => [
      [name, table],
      ...(table.counts ? [[`${name}#counts`, table.counts] as [string, CountTable]] : []),
    ]),
  );
}

/** All rows as snapshots have them, ascending by id. */
export function tableStates(tables: ReadonlyMap<string, ParameterTable>): ParameterState["tables"] {
  return Object.fromEntries(
    [...savedTables(tables)].map(([name, table]) => {
      const { versions, ...rows } = table.snapshot();
      const { dimension, expiry } = table.spec;
      return [name, { ...rows, dimension, ...(expiry && versions && { versions }) }];
    }),
  );
}

export function denseState(dense: ReadonlyMap<string, DenseVector>): ParameterState["dense"] {
  return Object.fromEntries(
    [...dense].map(([name, { values, slots }]) => [
      name,
      { values: values.slice(), slots: slots.slice() },
    ]),
  );
}
