import { encodeParameters, type ParameterState } from "@heddle/artifact";
import { assert, canonicalJson, HeddleError, present, shortName } from "@heddle/base";
import { failpoint } from "@heddle/failpoint";
import { newSlots } from "@heddle/kernels";
import { takenOver } from "@heddle/model";
import type { ModelDefinition } from "@heddle/sdk";
import type { TrainDeps } from "../deps.ts";
import { begunWith, type TakenState } from "./begun.ts";
import type { Layer } from "./chain.ts";
import { endOf } from "./parent.ts";
import { prefixOf } from "./retention.ts";
import { readParameters } from "./snapshot.ts";
import { parametersOf } from "../parameters.ts";

/**
 * Writes what a definition's transfer gives a run to start with: values of the version it names, and initial ones of all else, with new
 * slots. Names and bytes are functions of the run, so an attempt that does it again changes nothing; the run's first cut deletes it.
 *
 * @throws {HeddleError} FAILED_PRECONDITION TRANSFER_DIFFERS.
 */
export async function transferred(
  deps: TrainDeps,
  run: string,
  definition: ModelDefinition,
  signal: AbortSignal,
): Promise<readonly Layer[]> {
  const { from } = present(definition.training.transfer, "a transfer");
  const { layers, parent } = await endOf(deps, from, signal);
  const taken = takenOver(definition, parent);
  const files = layers.flatMap((layer) => layer.files);
  const there = await readParameters(deps.objects, files);
  const state = begunWith(definition, valuesOf(definition, taken, there));
  const rows = Object.values(state.tables).reduce((sum, { ids }) => sum + ids.length, 0);
  const name = `${prefixOf(run, 0)}/transfer.tensors`;
  const file = await deps.objects.put(name, encodeParameters(state));
  failpoint("learner.transfer.after-write");
  const facts = { run, from, rows, dense: taken.dense.size };
  deps.telemetry.log.info(facts, "training starts from parameters of another model");
  return [{ step: 0, rows, files: [file] }];
}

/** Values of what is taken over, with the slots that its new rules begin with. */
function valuesOf(
  definition: ModelDefinition,
  taken: ReturnType<typeof takenOver>,
  there: ParameterState,
): TakenState {
  const { tables, dense } = parametersOf(definition);
  return {
    table: (name) => {
      const found = taken.tables.has(name) ? there.tables[name] : undefined;
      const { optimizer } = present(
        tables.find((of) => of.name === name),
        `table ${name}`,
      );
      if (found === undefined) return undefined;
      const { ids, values, dimension } = found;
      assert(optimizer.kind !== "ftrl", "no FTRL rows are taken over");
      return { ids, values, slots: newSlots(optimizer, dimension, ids.length) };
    },
    dense: (name) => {
      if (!taken.dense.has(name)) return undefined;
      const { optimizer } = present(
        dense.find((of) => of.name === name),
        `parameter ${name}`,
      );
      const { values } = present(there.dense[name], `dense parameter ${name}`);
      return { values, slots: newSlots(optimizer, values.length, 1) };
    },
  };
}

/**
 * A run that continues a version takes over all of it. So that nobody waits for a transfer that is not made, or trains on what was
 * frozen, the version must have begun with the same transfer.
 *
 * @throws {HeddleError} FAILED_PRECONDITION TRANSFER_CHANGED.
 */
export function checkTransfer(
  { name, training: { transfer } }: ModelDefinition,
  parent: ModelDefinition,
  parentVersion: string,
): void {
  const before = parent.training.transfer;
  // What was taken over and not frozen is trained on like anything else.
  if (transfer === undefined && (before?.frozen ?? []).length === 0) return;
  if (transfer !== undefined && before !== undefined) {
    if (canonicalJson(transfer) === canonicalJson(before)) return;
  }
  throw new HeddleError(
    "FAILED_PRECONDITION",
    "TRANSFER_CHANGED",
    `training.transfer of model ${name} is not that of version ${shortName(parentVersion)}, which this run continues: set warmStart: false in the pipeline's train step for one run (and transfer from that version to keep what it learnt), or take the change back`,
    { metadata: { model: name, version: parentVersion } },
  );
}
