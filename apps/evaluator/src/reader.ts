import { type DatasetColumn, type Duckdb, readPartitionChunks } from "@heddle/feature-engine";
import type { Objects } from "@heddle/objects";
import type { ExampleBatch } from "@heddle/transform";

/** A dataset this job may read. */
export interface GrantedDataset {
  readonly dataset: string;
  readonly rows: number;
  readonly positives: number;
  readonly columns: readonly DatasetColumn[];
  /** Those that have rows, in order. */
  readonly partitions: readonly { readonly object: string; readonly sha256: string }[];
}

/** Where rows come from: the dataset's files, or a test's memory. */
export interface ExampleReader {
  /**
   * One partition's rows with these features, in pieces that split no visit. Pieces are large enough
   * to be scored well and small enough that several fit into memory.
   */
  read(
    dataset: GrantedDataset,
    partition: number,
    features: readonly string[],
  ): AsyncIterable<ExampleBatch>;
}

/** Rows of a piece: with some 60 features, about 16 MiB. */
const pieceRows = 65_536;

/** Reads partitions straight from the object store; each is checked against its digest first. */
export function parquetReader(objects: Objects, db: Duckdb): ExampleReader {
  return {
    read: async function* ({ columns, partitions }, partition, features) {
      const place = partitions[partition];
      if (place === undefined) return;
      const wanted = new Set(features);
      const read = columns.filter(({ name }) => wanted.has(name));
      const path = await objects.path(place.object, place.sha256);
      yield* readPartitionChunks(path, read, { db, rowsMin: pieceRows });
    },
  };
}
