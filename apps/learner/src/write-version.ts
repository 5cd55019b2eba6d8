import type { Executor } from "@heddle/executor";
import { embeddingTables, servedRows, writeModel, type TrainedModel } from "@heddle/model";
import type { ObjectInfo, Objects } from "@heddle/objects";
import { readParameters } from "./cuts/snapshot.ts";

/** All that a version is made of, but for its tensors: their file is named. */
export interface VersionOrder extends Omit<TrainedModel, "dense" | "ids" | "values"> {
  /** The file of the last snapshot. */
  readonly parameters: ObjectInfo;
}

/** Reads a version's tensors and writes it, on the thread that has the executor. */
export async function writeVersion(
  { objects, executor }: { readonly objects: Objects; readonly executor: Executor },
  { parameters, ...order }: VersionOrder,
): Promise<ObjectInfo> {
  const { tables, dense } = await readParameters(objects, [parameters]);
  // None where no input is embedded. What a table counts is not the model's.
  const rows = embeddingTables(order.definition).flatMap(({ name }) => tables[name] ?? []);
  const model = {
    ...order,
    dense: Object.fromEntries(Object.entries(dense).map(([name, { values }]) => [name, values])),
    ...servedRows(rows, 1 + order.definition.architecture.dimension),
  };
  return writeModel(objects, model, executor);
}
