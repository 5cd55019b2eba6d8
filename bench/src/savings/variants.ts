import type { ModelDefinition } from "@heddle/sdk";

/** A definition that differs from the exact one in something that saves work, or only in chance. */
export interface Variant {
  readonly name: string;
  /** `noise` shows what chance does; a `saving` must stay within the interval of `exact`. */
  readonly kind: "noise" | "saving";
  of(exact: ModelDefinition): ModelDefinition;
}

type Training = ModelDefinition["training"];
const training =
  (change: Partial<Training>) =>
  (exact: ModelDefinition): ModelDefinition => ({
    ...exact,
    training: { ...exact.training, ...change },
  });

/** The exact model: float32 throughout, every pull after the push before it. */
export const exactOf = training({ lag: 0 });

/** Each saving of the learner has its line here. */
export const variants: readonly Variant[] = [
  { name: "another seed", kind: "noise", of: training({ lag: 0, seed: 2 }) },
  { name: "lag 1", kind: "saving", of: training({ lag: 1 }) },
  {
    name: "rows in bfloat16",
    kind: "saving",
    of: training({ lag: 0, rows: { storage: "bfloat16" } }),
  },
  {
    name: "rows that travel in bfloat16",
    kind: "saving",
    of: training({ lag: 0, rows: { wire: "bfloat16" } }),
  },
  {
    name: "rows that travel in int8",
    kind: "saving",
    of: training({ lag: 0, rows: { wire: "int8" } }),
  },
  {
    name: "rows from the second push of an id on",
    kind: "saving",
    of: training({ lag: 0, rows: { admission: { count: 2 } } }),
  },
  {
    name: "rows that expire after 60 steps",
    kind: "saving",
    of: training({ lag: 0, rows: { expiry: { steps: 60 } } }),
  },
  { name: "two micro-batches", kind: "saving", of: training({ lag: 0, microBatches: 2 }) },
  {
    name: "two updates in flight",
    kind: "saving",
    of: training({ lag: 0, mode: { kind: "bounded", staleness: 1, inFlight: 2 } }),
  },
  {
    name: "rows up to 4 pushes old",
    kind: "saving",
    of: training({ lag: 0, mode: { kind: "bounded", staleness: 4, inFlight: 1, rowAge: 4 } }),
  },
  {
    name: "rows up to 8 pushes old",
    kind: "saving",
    of: training({ lag: 0, mode: { kind: "bounded", staleness: 8, inFlight: 1, rowAge: 8 } }),
  },
  {
    name: "rows in bfloat16 that travel in int8, up to 4 pushes old, with two updates in flight",
    kind: "saving",
    of: training({
      lag: 0,
      rows: { storage: "bfloat16", wire: "int8" },
      mode: { kind: "bounded", staleness: 5, inFlight: 2, rowAge: 4 },
    }),
  },
];
