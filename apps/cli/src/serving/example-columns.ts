import { HeddleError } from "@heddle/base";
import { didYouMean } from "@heddle/config";
import type { ModelDefinition, SourceDefinition } from "@heddle/sdk";
import type { Clients } from "../host/clients.ts";

const timeoutMs = 30_000;

/**
 * Refuses an example with a column that the sources of a model's examples do not declare: a misspelt one would be passed over, and the
 * answer be that for an unknown value.
 *
 * @throws {HeddleError} INVALID_ARGUMENT UNKNOWN_COLUMN.
 */
export async function checkColumns(
  { featureStore }: Pick<Clients, "featureStore">,
  { name, examples }: ModelDefinition,
  example: Readonly<Record<string, unknown>>,
): Promise<void> {
  const sources =
    examples.kind === "rows"
      ? [examples.source]
      : [examples.visits.source, examples.candidates.source];
  const declared = new Set<string>();
  for (const source of sources) {
    const { definitionJson } = await featureStore.getSource({ source }, { timeoutMs });
    const { columns } = JSON.parse(definitionJson) as SourceDefinition;
    for (const column of Object.keys(columns)) declared.add(column);
  }
  const unknown = Object.keys(example).find((column) => !declared.has(column));
  if (unknown === undefined) return;
  const meant = didYouMean(unknown, declared);
  throw new HeddleError(
    "INVALID_ARGUMENT",
    "UNKNOWN_COLUMN",
    `the example has a column "${unknown}", and examples of model ${name} have none; ${meant === undefined ? `they have ${[...declared].join(", ")}` : `did you mean "${meant}"?`}`,
  );
}
