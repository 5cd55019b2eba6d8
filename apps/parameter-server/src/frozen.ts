import type { DenseState, TableState } from "@heddle/artifact";
import type { DenseVector, ParameterTable } from "@heddle/kernels";
import type { CutTable } from "./encoder.ts";

/** A shard's parameters as they were at a cut, handed out once while pushes go on. */
export interface FrozenShard {
  readonly tables: readonly CutTable[];
  readonly dense: Readonly<Record<string, DenseState>>;
  /**
   * The next rows, in no particular order.
   *
   * @param bytesMax of them; so it bounds how long the call takes.
   * @returns undefined when all were returned.
   */
  next(bytesMax: number): { readonly table: string; readonly rows: TableState } | undefined;
  /** Ends it: pushes need copy nothing for it any more. */
  release(): void;
}

/**
 * Dense parameters are few, so they are copied; rows are copied when they are handed out or about to change.
 *
 * @param since only rows changed by pushes of later steps.
 */
export function freezeShard(
  tables: ReadonlyMap<string, ParameterTable>,
  dense: ReadonlyMap<string, DenseVector>,
  since?: number,
): FrozenShard {
  const views = [...tables].map(([name, table]) => {
    const { dimension } = table.spec;
    return { name, dimension, view: table.freeze(since) };
  });
  let at = 0;
  return {
    tables: views.map(({ name, dimension }) => ({ name, dimension })),
    dense: Object.fromEntries(
      [...dense].map(([name, { values, slots }]) => [
        name,
        { values: values.slice(), slots: slots.slice() },
      ]),
    ),
    next: (bytesMax) => {
      for (; at < views.length; at++) {
        const { name, dimension, view } = views[at] as (typeof views)[number];
        const rows = view.next(bytesMax);
        if (rows !== undefined) return { table: name, rows: { ...rows, dimension } };
        view.release();
      }
      return undefined;
    },
    release: () => {
      for (const { view } of views) view.release();
    },
  };
}
