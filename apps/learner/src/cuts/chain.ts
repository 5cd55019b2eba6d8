import type { ObjectInfo } from "@heddle/objects";

/** Files of one cut: all rows, or those changed since the layer before. */
export interface Layer {
  /** Step of the cut. */
  readonly step: number;
  /** Rows in the files, of all tables. */
  readonly rows: number;
  /** One for each shard there was then. */
  readonly files: readonly ObjectInfo[];
}

/** Names of all files of a snapshot. */
export const namesOf = (layers: readonly Layer[]): string[] =>
  layers.flatMap(({ files }) => files.map(({ name }) => name));

/** Layers behind the first, at most: each is one more file a shard to read back. */
const incrementsMax = 16;
/** Rows of all layers behind the first, of those in the first: then a restore reads little more than twice what it needs. */
const changedShareMax = 1;

/**
 * Where the next layer goes on from: the step of the last one, or nothing, and then it holds all rows. It depends on what the
 * layers hold and not on who wrote them, so that a run cuts alike on any number of shards and however often it is resumed.
 */
export function sinceOf(layers: readonly Layer[]): number | undefined {
  const [base, ...increments] = layers;
  if (base === undefined || increments.length >= incrementsMax) return undefined;
  const changed = increments.reduce((sum, { rows }) => sum + rows, 0);
  if (changed >= changedShareMax * base.rows) return undefined;
  return layers.at(-1)?.step;
}
