import { HeddleError } from "@heddle/base";
import type { ModelDefinition } from "@heddle/sdk";
import type { Executor } from "@heddle/executor";
import type { Batches } from "../data/batches.ts";
import { openNetwork } from "../network.ts";
import { compare, type Quality, type QualityVerdict, verdictOf } from "./compare.ts";
import type { HeldOut } from "./held-out.ts";
import type { Setting } from "./interleave.ts";
import { openHeldOutScorer } from "./scorer.ts";
import { isSameSetting, settingOf, settingsOf } from "./settings.ts";
import { type Outcome, trainOverlapped } from "./train-overlapped.ts";

/** What the interval says of a setting against one update at a time. */
type SpeedVerdict = "baseline" | "diverged" | QualityVerdict;

export interface AuditedSetting extends Setting {
  readonly verdict: SpeedVerdict;
  /** Absent when it diverged. */
  readonly quality?: Quality;
  /** Mean of the pushes' staleness, and pushes that were too stale; absent when it diverged. */
  readonly meanStaleness?: number;
  readonly refused?: number;
}

export interface SpeedAudit {
  readonly model: string;
  readonly heldOutRows: number;
  /** How much worse counts as worse, of log loss and of AUC. */
  readonly tolerance: number;
  readonly settings: readonly AuditedSetting[];
  /** The setting that the definition trains with, and whether that is too fast. */
  readonly own: AuditedSetting;
  readonly tooFast: "yes" | "no" | "unclear";
}

export interface AuditOptions {
  readonly definition: ModelDefinition;
  readonly executor: Executor;
  /** All batches from the first one, each time it is called. */
  readonly batches: () => Batches;
  /** How many there are; the last fifth, at least one, is held out. */
  readonly batchCount: number;
  /** Updates in flight to try, beside one and the definition's own. */
  readonly inFlight: readonly number[];
  readonly tolerance: number;
  readonly replicates: number;
  readonly seed: number;
  /** Told before each training. */
  readonly onSetting?: (setting: Setting, number: number, of: number) => void;
}

/**
 * Trains the same batches with more and fewer updates in flight, and compares the rows held out, paired row by row.
 *
 * @throws {HeddleError} FAILED_PRECONDITION TOO_FEW_BATCHES; BASELINE_DIVERGED when it cannot be trained at any speed.
 */
export async function auditSpeed(options: AuditOptions, signal: AbortSignal): Promise<SpeedAudit> {
  const { definition, executor, batchCount, seed, tolerance, replicates } = options;
  if (batchCount < 2) throw tooFew(definition.name, batchCount);
  const trained = batchCount - Math.max(1, Math.floor(batchCount / 5));
  const ownSetting = settingOf(definition.training);
  const settings = settingsOf(options.inFlight, ownSetting);
  await using network = await openNetwork(definition, executor);
  await using scorer = await openHeldOutScorer(definition, executor);
  const outcomes: Outcome[] = [];
  for (const [n, setting] of settings.entries()) {
    options.onSetting?.(setting, n + 1, settings.length);
    const training = { network, scorer, batches: options.batches, trained, setting, seed };
    outcomes.push(await trainOverlapped(training, signal));
  }
  if (outcomes[0]?.kind === "diverged") throw baselineDiverged(definition.name, outcomes[0]);

  const scored = outcomes.flatMap((outcome) => (outcome.kind === "trained" ? [outcome] : []));
  const heldOut: HeldOut[] = scored.map((outcome) => outcome.heldOut);
  const qualities = await compare(heldOut, { replicates, seed }, signal);
  const audited = settings.map((setting, n): AuditedSetting => {
    const outcome = outcomes[n];
    const quality = outcome?.kind === "trained" ? qualities[scored.indexOf(outcome)] : undefined;
    if (outcome?.kind !== "trained" || quality === undefined) {
      return { ...setting, verdict: "diverged" };
    }
    const verdict = n === 0 ? "baseline" : verdictOf(quality, tolerance);
    const { refused, pushes } = outcome;
    return { ...setting, verdict, quality, refused, meanStaleness: meanOf(pushes) };
  });
  const own = audited.find((of) => isSameSetting(of, ownSetting));
  if (own === undefined) throw new RangeError("the definition's own setting was not trained");
  return {
    ...{ model: definition.name, heldOutRows: heldOut[0]?.label.length ?? 0, tolerance },
    ...{ settings: audited, own, tooFast: tooFast[own.verdict] },
  };
}

const tooFast = {
  baseline: "no",
  "as-good": "no",
  worse: "yes",
  diverged: "yes",
  unclear: "unclear",
} as const;

function meanOf(pushes: readonly number[]): number {
  const count = pushes.reduce((sum, n) => sum + n, 0);
  return pushes.reduce((sum, n, staleness) => sum + n * staleness, 0) / count;
}

function tooFew(model: string, batches: number): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "TOO_FEW_BATCHES",
    `the dataset of model ${model} makes ${batches} batches, and an audit needs 2 at least, one of them held out: build a larger dataset`,
  );
}

function baselineDiverged(model: string, { message }: { readonly message: string }): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "BASELINE_DIVERGED",
    `model ${model} diverges with one update at a time (${message}), so its speed is not what is wrong: lower its learning rates`,
  );
}
