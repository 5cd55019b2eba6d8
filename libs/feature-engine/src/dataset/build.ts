import { join } from "node:path";
import { keyFeatures } from "../features/aggregate-groups.ts";
import { makeAggregates } from "../features/aggregate.ts";
import { assemble, neededColumns } from "../features/assemble.ts";
import type { Duckdb } from "../duckdb/duckdb.ts";
import { writePartition } from "../partition/encode.ts";
import { makeExamples } from "./examples.ts";
import { measurePartition, type PartitionFacts } from "./measure.ts";
import { makeMoments } from "../features/moments.ts";
import { type DatasetPlan, datasetColumns } from "../plan.ts";
import { makeCodes } from "../features/relation.ts";
import { openSources, type Paths } from "../duckdb/sources.ts";

export interface BuiltPartition extends PartitionFacts {
  readonly partition: string;
  /** The file, in the folder that was named. */
  readonly path: string;
}

/**
 * Builds partitions of a dataset, each a Parquet file, and yields each as it is done. Several
 * together cost little more than one: their history is read once.
 *
 * @param partitions in order; a ranking dataset's are best built one at a time, they are large.
 * @param paths where each segment of the plan lies.
 * @param folder an existing folder for the files.
 */
export async function* buildPartitions(
  db: Duckdb,
  plan: DatasetPlan,
  partitions: readonly string[],
  paths: Paths,
  folder: string,
): AsyncIterable<BuiltPartition> {
  await openSources(db, plan, paths);
  await makeExamples(db, plan, partitions, neededColumns(plan), paths);
  await makeMoments(db, plan);
  await makeCodes(db, plan, keyFeatures(plan));
  await makeAggregates(db, plan);
  const kind = partitions.length === 1 ? "view" : "table";
  await assemble(db, plan, kind);
  const columns = datasetColumns(plan);
  for (const [index, partition] of partitions.entries()) {
    const bounds = await db.rows<{ low: bigint | null; high: bigint | null }>(
      `select min(v) as low, max(v) as high from visits where partition = ${index}`,
    );
    const { low, high } = { low: bounds[0]?.low ?? 1n, high: bounds[0]?.high ?? 0n };
    const rows = `select *, heddle_v - ${low} as heddle_visit from assembled_${kind}
      where heddle_v between ${low} and ${high}`;
    const path = join(folder, `partition-${index}.parquet`);
    await writePartition(db, plan, { low, high, rows }, path);
    yield { partition, path, ...(await measurePartition(db, path, columns, plan.slices)) };
  }
}
