import type { ModelDefinition, Optimizer } from "@heddle/sdk";

/** One of the models that a definition trains together: its only one, or the long-term and the short-term one. */
export interface Term {
  /** In front of the names of its dense parameters; empty for the only and the long-term one. */
  readonly prefix: "" | "short_";
  /** Name of its table on the shards, and of the training step's input of rows from it. */
  readonly table: string;
  readonly embedded: string;
  readonly optimizer: Optimizer;
  /** Its share of the predictions; all shares sum to 1. */
  readonly share: number;
}

const equalShare = 0.5;

/** The long-term or only one first. */
export function termsOf({
  training,
  shortTerm,
}: Pick<ModelDefinition, "training" | "shortTerm">): readonly Term[] {
  const { share = equalShare, optimizer } = shortTerm ?? {};
  const term = (prefix: Term["prefix"], of: Pick<Term, "optimizer" | "share">): Term => ({
    ...{ prefix, table: `${prefix}embeddings`, embedded: `${prefix}embedded` },
    ...of,
  });
  if (shortTerm === undefined) return [term("", { optimizer: training.optimizer, share: 1 })];
  return [
    term("", { optimizer: training.optimizer, share: 1 - share }),
    term("short_", { optimizer: optimizer ?? training.optimizer, share }),
  ];
}
