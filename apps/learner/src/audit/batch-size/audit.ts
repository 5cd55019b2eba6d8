import { HeddleError } from "@heddle/base";
import type { ModelDefinition, Training } from "@heddle/sdk";
import { compare, type Quality, verdictOf } from "../compare.ts";
import { type Candidate, chooseSize, type Spread } from "./choose.ts";
import { type Judged, type JudgeOptions, judgeSizes } from "./judge.ts";
import type { NotTried } from "./ladder.ts";
import { definitionAt, type RateRule } from "./rates.ts";
import { type OrderedRows, rowsOf, splitRows } from "./rows.ts";
import { throughputOf } from "./throughput.ts";

/** What is compared when a size is chosen. */
export type Per = "cpu-second" | "second";

export interface AuditedSize extends Omit<Candidate, "throughput"> {
  /** The rest is absent when it diverged. */
  readonly quality?: Quality;
  readonly steps?: number;
  readonly perSecond?: Spread;
  readonly perCpuSecond?: Spread;
  /** The most memory that the process had while it trained, tables and rows included. */
  readonly residentBytes?: number;
}

export interface BatchSizeAudit {
  readonly model: string;
  readonly trainedRows: number;
  readonly heldOutRows: number;
  readonly tolerance: number;
  readonly within: number;
  readonly per: Per;
  readonly rates: RateRule;
  /** The definition's own size, which the others are compared with. */
  readonly own: number;
  readonly sizes: readonly AuditedSize[];
  readonly notTried: readonly NotTried[];
  readonly chosen: number;
  /** What a definition with the chosen size says where this one says something else. */
  readonly change: Partial<Pick<Training, "batchSize" | "optimizer" | "snapshotSteps">> &
    Pick<ModelDefinition, "shortTerm">;
}

export interface BatchSizeOptions extends JudgeOptions {
  /** The last fifth is held out: the same rows for all sizes. */
  readonly rows: readonly OrderedRows[];
  readonly per: Per;
  /** How much worse counts as worse, of log loss and of AUC. */
  readonly tolerance: number;
  /** The share of the best throughput that is as good as it. */
  readonly within: number;
  /** Trainings of each size that are timed. */
  readonly rounds: number;
  readonly replicates: number;
  readonly seed: number;
}

/**
 * Trains the same rows with several batch sizes: once each to judge the rows held out, paired row by row with the definition's own
 * size, and then by turns to time them.
 *
 * @throws {HeddleError} FAILED_PRECONDITION TOO_FEW_ROWS; BASELINE_DIVERGED when the definition diverges as it is.
 */
export async function auditBatchSize(
  options: BatchSizeOptions,
  signal: AbortSignal,
): Promise<BatchSizeAudit> {
  const { definition, rows, tolerance, within, per, rates } = options;
  const own = definition.training.batchSize;
  const all = rowsOf(rows);
  const { trained, heldOut } = splitRows(rows, all - Math.floor(all / 5));
  if (rowsOf(heldOut) === 0) throw tooFew(definition.name, all);

  await using opened = new AsyncDisposableStack();
  const judged = await judgeSizes(opened, options, trained, heldOut, signal);
  const { outcomes, notTried } = judged;
  const qualities = await qualitiesOf(options, outcomes, signal);
  const trainings = outcomes.flatMap(({ training, outcome }) =>
    outcome.kind === "trained" ? [training] : [],
  );
  const speeds = await throughputOf(trainings, options, signal);
  const sizes = outcomes.map(({ training: { batchSize }, outcome }): AuditedSize => {
    const [quality, speed] = [qualities.get(batchSize), speeds.get(batchSize)];
    if (outcome.kind === "diverged" || !quality || !speed)
      return { batchSize, verdict: "diverged" };
    const verdict = batchSize === own ? "baseline" : verdictOf(quality, tolerance);
    const { steps, residentBytes } = outcome;
    return { batchSize, verdict, quality, steps, residentBytes, ...speed };
  });
  const chosen = chooseSize(
    sizes.map(({ perSecond, perCpuSecond, ...size }): Candidate => {
      const throughput = per === "second" ? perSecond : perCpuSecond;
      return { ...size, ...(throughput && { throughput }) };
    }),
    within,
  );
  return {
    ...{ model: definition.name, trainedRows: rowsOf(trained), heldOutRows: rowsOf(heldOut) },
    ...{ tolerance, within, per, rates, own, sizes, notTried, chosen },
    change: chosen === own ? {} : changeTo(definition, chosen, rates),
  };
}

async function qualitiesOf(
  { definition, replicates, seed }: BatchSizeOptions,
  outcomes: readonly Judged[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, Quality>> {
  const own = definition.training.batchSize;
  // The first is what the others are compared with.
  const ordered = outcomes.toSorted(
    ({ training: a }, { training: b }) => Number(b.batchSize === own) - Number(a.batchSize === own),
  );
  const baseline = ordered[0]?.outcome;
  if (baseline?.kind === "diverged") throw baselineDiverged(definition, baseline.message);
  const scored = ordered.flatMap(({ training, outcome }) =>
    outcome.kind === "trained" ? [[training.batchSize, outcome.heldOut] as const] : [],
  );
  const qualities = await compare(
    scored.map(([, of]) => of),
    { replicates, seed },
    signal,
  );
  return new Map(qualities.map((quality, n) => [scored[n]?.[0] ?? NaN, quality]));
}

/** Snapshots stay as many examples apart as they were. */
function changeTo(
  definition: ModelDefinition,
  batchSize: number,
  rates: RateRule,
): BatchSizeAudit["change"] {
  const { batchSize: own, snapshotSteps: steps } = definition.training;
  const { training, shortTerm } = definitionAt(definition, batchSize, rates);
  const snapshotSteps = Math.max(1, Math.round((steps * own) / batchSize));
  return {
    batchSize,
    ...(rates !== "keep" && { optimizer: training.optimizer }),
    ...(rates !== "keep" && shortTerm?.optimizer && { shortTerm }),
    ...(snapshotSteps !== steps && { snapshotSteps }),
  };
}

function tooFew(model: string, rows: number): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "TOO_FEW_ROWS",
    `the dataset of model ${model} has ${rows} rows, and an audit needs 5 at least, one of them held out: build a larger dataset`,
  );
}

function baselineDiverged({ name, training }: ModelDefinition, message: string): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "BASELINE_DIVERGED",
    `model ${name} diverges with its own batch size ${training.batchSize} (${message}), so there is nothing to compare others with: lower its learning rates`,
  );
}
