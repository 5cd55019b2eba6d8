import { encodeParameters, type ParameterState } from "@heddle/artifact";
import { failpoint } from "@heddle/failpoint";
import { termsOf } from "@heddle/model";
import type { ModelDefinition } from "@heddle/sdk";
import type { TrainDeps } from "../deps.ts";
import { begunWith } from "./begun.ts";
import type { Layer } from "./chain.ts";
import { prefixOf } from "./retention.ts";
import { readParameters } from "./snapshot.ts";

/** Whether a run does not go on from all that its parent was, because one of them has a short-term model. */
export function renews(definition: ModelDefinition, parent: ModelDefinition): boolean {
  return definition.shortTerm !== undefined || parent.shortTerm !== undefined;
}

/**
 * Writes what a run starts with that continues its parent's long-term model, values and slots, and begins a short-term one anew, when it
 * has one. Names and bytes are functions of the run, so an attempt that does it again changes nothing; the run's first cut deletes it.
 *
 * @param layers of the parent's end.
 */
export async function renewed(
  { objects, telemetry }: TrainDeps,
  run: string,
  definition: ModelDefinition,
  { layers, parent }: { readonly layers: readonly Layer[]; readonly parent: ModelDefinition },
): Promise<readonly Layer[]> {
  const files = layers.flatMap((layer) => layer.files);
  const [, ended] = halves(await readParameters(objects, files), parent);
  const [begun] = halves(begunWith(definition, { table: nothing, dense: nothing }), definition);
  // All of the parent's: what does not fit is for the shards to refuse.
  const state = {
    tables: { ...ended.tables, ...begun.tables },
    dense: { ...ended.dense, ...begun.dense },
  };
  const rows = Object.values(state.tables).reduce((sum, { ids }) => sum + ids.length, 0);
  const file = await objects.put(`${prefixOf(run, 0)}/renewal.tensors`, encodeParameters(state));
  failpoint("learner.renewal.after-write");
  telemetry.log.info({ run, rows }, "training continues the long-term model of its parent");
  return [{ step: 0, rows, files: [file] }];
}

const nothing = (): undefined => undefined;

/** What the short-term model of a definition has, and all else. */
function halves(
  { tables, dense }: ParameterState,
  definition: ModelDefinition,
): readonly [shortTerm: ParameterState, longTerm: ParameterState] {
  const prefixes = termsOf(definition).map(({ prefix }) => prefix);
  const isShort = (name: string): boolean =>
    prefixes.some((prefix) => prefix !== "" && name.startsWith(prefix));
  const of = <V>(all: Readonly<Record<string, V>>, short: boolean): Record<string, V> =>
    Object.fromEntries(Object.entries(all).filter(([name]) => isShort(name) === short));
  return [
    { tables: of(tables, true), dense: of(dense, true) },
    { tables: of(tables, false), dense: of(dense, false) },
  ];
}
