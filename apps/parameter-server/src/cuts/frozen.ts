import type { ParameterState } from "@heddle/artifact";
import type { DenseVector, FrozenView, ParameterTable } from "@heddle/kernels";

/** A shard as it was at one moment. It stays what it is when the shard is restored or reset. */
export interface FrozenShard {
  /** The number of the last push that it has. */
  readonly version: number;
  /** Tables in order of declaration. */
  readonly tables: readonly {
    readonly name: string;
    readonly dimension: number;
    readonly view: FrozenView;
  }[];
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
  const frozen: { name: string; dimension: number; view: FrozenView }[] = [];
  const release = (): void => {
    for (const { view } of frozen) view.release();
  };
  try {
    for (const [name, table] of tables) {
      frozen.push({ name, dimension: table.spec.dimension, view: table.freeze(since) });
    }
  } catch (error) {
    release();
    throw error;
  }
  return { tables: frozen, release };
}

export function denseState(dense: ReadonlyMap<string, DenseVector>): ParameterState["dense"] {
  return Object.fromEntries(
    [...dense].map(([name, { values, slots }]) => [
      name,
      { values: values.slice(), slots: slots.slice() },
    ]),
  );
}
