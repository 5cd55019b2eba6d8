import { encodeParameters, type ParameterState } from "@heddle/artifact";
import { assert, canonicalJson, HeddleError, present, shortName } from "@heddle/base";
import { failpoint } from "@heddle/failpoint";
import { newSlots } from "@heddle/kernels";
import { takenOver } from "@heddle/model";
import type { ModelDefinition } from "@heddle/sdk";
import type { TrainDeps } from "../deps.ts";
import { parametersOf } from "../network.ts";
import type { Layer } from "./chain.ts";
import { endOf } from "./parent.ts";
import { prefixOf } from "./retention.ts";
import { readParameters } from "./snapshot.ts";

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
  const state = begun(definition, taken, there);
  const rows = Object.values(state.tables).reduce((sum, { ids }) => sum + ids.length, 0);
  const name = `${prefixOf(run, 0)}/transfer.tensors`;
  const file = await deps.objects.put(name, encodeParameters(state));
  failpoint("learner.transfer.after-write");
  const facts = { run, from, rows, dense: taken.dense.size };
  deps.telemetry.log.info(facts, "training starts from parameters of another model");
  return [{ step: 0, rows, files: [file] }];
}

/** All parameters of a run before its first step. */
function begun(
  definition: ModelDefinition,
  taken: ReturnType<typeof takenOver>,
  there: ParameterState,
): ParameterState {
  const { tables, dense } = parametersOf(definition);
  return {
    tables: Object.fromEntries(
      tables.map(({ name, dimension, optimizer }) => {
        const found = taken.tables.has(name) ? there.tables[name] : undefined;
        const { ids = new BigUint64Array(), values = new Float32Array() } = found ?? {};
        // A table from nothing has no rows, so no slots.
        if (optimizer.kind === "ftrl") assert(ids.length === 0, "no FTRL rows are taken over");
        const slots =
          optimizer.kind === "ftrl"
            ? new Float32Array()
            : newSlots(optimizer, dimension, ids.length);
        return [name, { ids, values, slots, dimension }];
      }),
    ),
    dense: Object.fromEntries(
      dense.map(({ name, initial, optimizer }) => {
        const values = taken.dense.has(name)
          ? present(there.dense[name], `dense parameter ${name}`).values
          : initial;
        return [name, { values, slots: newSlots(optimizer, values.length, 1) }];
      }),
    ),
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
