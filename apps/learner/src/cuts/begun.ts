import type { DenseState, ParameterState, TableState } from "@heddle/artifact";
import { newSlots } from "@heddle/kernels";
import type { ModelDefinition } from "@heddle/sdk";
import { parametersOf } from "../parameters.ts";

/** What a run takes over from another one's end; undefined where it begins anew. */
export interface TakenState {
  table(name: string): Omit<TableState, "dimension"> | undefined;
  dense(name: string): DenseState | undefined;
}

/** All parameters of a run before its first step: what it takes over, and initial values of all else, with new slots. */
export function begunWith(definition: ModelDefinition, taken: TakenState): ParameterState {
  const { tables, dense } = parametersOf(definition);
  return {
    tables: Object.fromEntries(
      tables.map(({ name, dimension }) => [name, { ...(taken.table(name) ?? noRows), dimension }]),
    ),
    dense: Object.fromEntries(
      dense.map(({ name, initial, optimizer }) => [
        name,
        taken.dense(name) ?? { values: initial, slots: newSlots(optimizer, initial.length, 1) },
      ]),
    ),
  };
}

const noRows = {
  ids: new BigUint64Array(),
  values: new Float32Array(),
  slots: new Float32Array(),
};
