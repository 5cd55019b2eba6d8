import {
  type DatasetColumn,
  type Duckdb,
  readPartitionChunks,
  type VisitRange,
  visitRanges,
} from "@heddle/feature-engine";
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

/** Part of a dataset: some visits of one partition, or all of them. */
export interface DatasetPart {
  readonly partition: number;
  readonly visits?: VisitRange;
}

/** Where rows come from: the dataset's files, or a test's memory. */
export interface ExampleReader {
  /**
   * A part's rows with these features, in pieces that split no visit, large enough to be scored well. A piece
   * holds until the next one is asked for.
   */
  read(
    dataset: GrantedDataset,
    part: DatasetPart,
    features: readonly string[],
  ): AsyncIterable<ExampleBatch>;
  /** The dataset in parts for threads to share, in order; they depend on the dataset alone. */
  parts(dataset: GrantedDataset): Promise<readonly DatasetPart[]>;
}

/** Rows of a piece: with some 60 features, about 16 MiB. */
const pieceRows = 65_536;

/** Rows of a part: some seconds of work at most, so that threads end together. */
export const partRows = 262_144;

/** Reads partitions straight from the object store; each is checked against its digest first. */
export function parquetReader(objects: Objects, db: Duckdb): ExampleReader {
  return {
    read: async function* ({ columns, partitions }, { partition, visits }, features) {
      const place = partitions[partition];
      if (place === undefined) return;
      const wanted = new Set(features);
      const read = columns.filter(({ name }) => wanted.has(name));
      const path = await objects.path(place.object, place.sha256);
      const some = visits === undefined ? {} : { visits };
      yield* readPartitionChunks(path, read, { db, rowsMin: pieceRows, ...some });
    },
    parts: async ({ partitions }) => {
      const parts: DatasetPart[] = [];
      for (const [partition, { object, sha256 }] of partitions.entries()) {
        const path = await objects.path(object, sha256);
        const ranges = await visitRanges(db, path, partRows);
        parts.push(...ranges.map((visits) => ({ partition, visits })));
      }
      return parts;
    },
  };
}
