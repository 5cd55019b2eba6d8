import { join } from "node:path";
import { openExecutor } from "@heddle/executor";
import { type DatasetColumn, readPartition } from "@heddle/feature-engine";
import { openScorer, score } from "@heddle/model";
import { type Objects, openFileObjects } from "@heddle/objects";
import type { ExampleBatch } from "@heddle/transform";
import type { ScoredRows } from "../../quality/paired.ts";

/** Rows of one partition that no variant was trained on. */
export interface Holdout {
  readonly rows: ScoredRows;
  /** Probabilities of a version, shape [rows]. */
  scoreBy(manifest: { readonly name: string; readonly sha256: string }): Promise<Float32Array>;
}

/** Opens a dataset of one partition. */
export async function openHoldout(objectsFolder: string, dataset: string): Promise<Holdout> {
  const objects = await openFileObjects({ path: objectsFolder });
  const batch = await onlyPartition(objects, dataset);
  const numbers = new Map<number, number>();
  const cluster = Int32Array.from(batch.visit, (visit) => {
    const number = numbers.get(visit) ?? numbers.size;
    numbers.set(visit, number);
    return number;
  });
  const executor = await openExecutor({ kind: "auto" });
  return {
    rows: { label: batch.label, weight: batch.weight, cluster },
    scoreBy: async (manifest) => {
      await using scorer = await openScorer({ objects, executor, manifest });
      return await score(scorer, batch);
    },
  };
}

async function onlyPartition(objects: Objects, dataset: string): Promise<ExampleBatch> {
  const text = new TextDecoder().decode(await objects.get(join("manifests", `${dataset}.json`)));
  const { columns, partitions } = JSON.parse(text) as {
    readonly columns: readonly DatasetColumn[];
    readonly partitions: readonly { readonly object: { name: string; sha256: string } }[];
  };
  const [partition] = partitions;
  if (partition === undefined) throw new Error(`the holdout ${dataset} has no partition`);
  const { name, sha256 } = partition.object;
  return readPartition(await objects.path(name, sha256), columns);
}
