import { isHeddleError } from "@heddle/base";
import { checkFinite } from "../../loop/not-finite.ts";
import type { Network } from "../../network.ts";
import { type HeldOut, scoreHeldOut } from "../held-out.ts";
import type { Scorer } from "../scorer.ts";
import { openStore, type ParameterStore } from "../store.ts";
import { cutBatches, type OrderedRows } from "./rows.ts";

/** What this process has used so far. */
export interface Meter {
  /** Monotonic. */
  seconds(): number;
  /** Of all its threads. */
  cpuSeconds(): number;
  /** Memory it has now. */
  residentBytes(): number;
}

/** A training of one size: its network, compiled, and the rows it learns from. */
export interface SizedTraining {
  readonly batchSize: number;
  readonly network: Network;
  readonly rows: readonly OrderedRows[];
  readonly meter: Meter;
}

/** A training's parameters, and what it took. */
export interface Took {
  readonly store: ParameterStore;
  readonly steps: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** The most that was seen after a step. */
  readonly residentBytes: number;
}

/**
 * Trains once through the rows, one update at a time: cuts batches, pulls from and pushes to tables of this process, computes steps.
 *
 * @throws {HeddleError} INVALID_ARGUMENT NOT_FINITE.
 */
export async function trainOnce(
  { network, batchSize, rows, meter }: SizedTraining,
  signal: AbortSignal,
): Promise<Took> {
  const store = openStore(network);
  let residentBytes = 0;
  const from = { seconds: meter.seconds(), cpuSeconds: meter.cpuSeconds() };
  for (const batch of cutBatches(rows, batchSize)) {
    signal.throwIfAborted();
    const result = await network.step(batch, store.pull(batch.ids));
    checkFinite("batch-audit", store.applied + 1, batch, result);
    store.push(batch.ids, result.gradients);
    residentBytes = Math.max(residentBytes, meter.residentBytes());
  }
  return {
    ...{ store, steps: store.applied, residentBytes },
    seconds: meter.seconds() - from.seconds,
    cpuSeconds: meter.cpuSeconds() - from.cpuSeconds,
  };
}

/** What a size makes of the rows held out, which are the same for all sizes. */
export type SizeOutcome =
  | ({ readonly kind: "trained"; readonly heldOut: HeldOut } & Pick<
      Took,
      "steps" | "residentBytes"
    >)
  /** Its numbers left what float32 can say. */
  | { readonly kind: "diverged"; readonly message: string };

/** Rows scored at a time, whatever the size. */
const scoredRows = 1_024;

export async function judgeSize(
  training: SizedTraining,
  scorer: Scorer,
  heldOut: readonly OrderedRows[],
  signal: AbortSignal,
): Promise<SizeOutcome> {
  try {
    const { store, steps, residentBytes } = await trainOnce(training, signal);
    const scored = await scoreHeldOut(scorer, store, cutBatches(heldOut, scoredRows));
    return { kind: "trained", heldOut: scored, steps, residentBytes };
  } catch (error) {
    if (!isHeddleError(error, "NOT_FINITE")) throw error;
    return { kind: "diverged", message: error.message };
  }
}
