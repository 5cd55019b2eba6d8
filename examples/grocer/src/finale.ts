import { askServed, type Clients, type FinaleContext, type RankedRow, table } from "@heddle/cli";
import { model } from "./names.ts";

/** A household that shops often, and the store and week it is asked about. */
const visits = {
  full: { household_id: 2351, store_id: 406, week: 53 },
  small: { household_id: 2351, store_id: 406, week: 47 },
};
const shown = 8;

/** Asks the served version for one household's ranking, beside what is popular. */
export async function finale({ clients, progress, small }: FinaleContext): Promise<string> {
  const visit = small ? visits.small : visits.full;
  progress.say("bringing the online values up to date");
  await materialise(clients);
  progress.say("asking the model server");
  const answer = await askServed(clients, model, visit, { limit: shown, timeMs: 0 });
  if (answer.kind !== "ranking") throw new Error(`${model} does not rank`);
  const name = (entry: RankedRow | undefined): string =>
    textOf(entry?.row["product_type"]).slice(0, 28);
  return [
    `Household ${visit.household_id} in store ${visit.store_id}, ${answer.candidates} promotions: what is most likely bought`,
    table(
      [
        { header: "" },
        { header: "by the served version" },
        { header: "chance", align: "right" },
        { header: "by popularity alone" },
      ],
      answer.ranked.map((entry, i) => [
        String(i + 1),
        name(entry),
        `${(100 * entry.score).toFixed(1)} %`,
        name(answer.fallback[i]),
      ]),
    ),
  ].join("\n");
}

/** Brings the online values up to date with all that has arrived; done again, it finds them so. */
export async function materialise(clients: Clients): Promise<void> {
  const timeoutMs = 180_000;
  const { definitionJson } = await clients.registry.getConfiguration({ model }, { timeoutMs });
  await clients.featureStore.materialise(
    { requestId: `materialise/${model}`, modelDefinitionJson: definitionJson, asOfTimeMs: 0n },
    { timeoutMs },
  );
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
