import { HeddleError, type LogRange } from "@heddle/base";
import type { ObjectPlace } from "./run.ts";

/** What a training saw and cost; the fields of the protobuf message of that name. */
export interface TrainingSummary {
  readonly examples: number;
  readonly steps: number;
  readonly meanLoss: number;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly stageShares: Readonly<Record<string, number>>;
  readonly executor: string;
  readonly peakMemoryBytes: number;
  readonly attemptExamples: number;
  /** Absent in versions registered before it was counted. */
  readonly movedBytes?: Readonly<Record<string, number>>;
  /** What the steps ran as, and why op by op; absent when it is not known, or they ran as graphs. */
  readonly stepExecutor?: string;
  readonly fallbackReason?: string;
  /** Absent, like the following, in versions registered before learners had threads. */
  readonly bottleneck?: string;
  readonly stageCpuSeconds?: Readonly<Record<string, number>>;
  readonly queues?: Readonly<Record<string, QueueDepth>>;
  readonly loopDelayP99Ms?: number;
  /** Of a training in bounded mode. */
  readonly overlap?: {
    /** Pushes by staleness, from 0 to the bound. */
    readonly staleness: readonly number[];
    readonly inFlightMax: number;
    readonly staleRefused: number;
  };
  /** Of a training that ended before its data did. */
  readonly earlyStop?: EarlyStop;
  /** Of a training that took over or left alone parameters of another model's version. */
  readonly transfer?: TransferSummary;
  /** Of a training in bounded mode that lost some; each was restored alone. */
  readonly lostShards?: readonly LostShard[];
  /** Of a training whose definition has an admission or an expiry of rows. */
  readonly rows?: RowTurnover;
  /** Of a training on the event log: what it added to its parent's parameters, by partition of the topic. */
  readonly log?: readonly LogRange[];
}

/** A shard that was lost and restored alone from the snapshot of a step. */
export interface LostShard {
  readonly shard: number;
  readonly lostTimeMs: number;
  readonly seconds: number;
  readonly snapshotStep: number;
  readonly lostUpdates: number;
}

/** Rows that ids did not get, or got no longer; the fields of the protobuf message of that name. */
export interface RowTurnover {
  readonly refused: number;
  readonly expired: number;
  readonly counted: number;
}

/** Names are those of the definition. */
export interface TransferSummary {
  readonly from: string;
  readonly tables: readonly string[];
  readonly dense: readonly string[];
  readonly frozen: readonly string[];
}

/** Losses are means over the examples between two cuts. */
export interface EarlyStop {
  readonly loss: number;
  readonly bestLoss: number;
  readonly bestStep: number;
  readonly cutsSinceBest: number;
  readonly minDelta: number;
  readonly untrainedExamples: number;
  /** Where the first of them lies. */
  readonly partition: string;
}

/** How many things were in a queue. */
interface QueueDepth {
  readonly mean: number;
  readonly max: number;
}

const verdicts = ["pass", "fail", "not-enough-data"] as const;
type Verdict = (typeof verdicts)[number];

/** A version, but for its number and whether it is live: those the family decides. */
export interface Version {
  /** SHA-256 of its manifest. */
  readonly version: string;
  readonly model: string;
  readonly run: string;
  readonly manifest: ObjectPlace;
  readonly training: TrainingSummary;
  readonly createdTimeMs: number;
  /** Empty before the gate. */
  readonly verdict: Verdict | "";
  readonly evaluation: string;
  readonly failedChecks: readonly string[];
  readonly archived: boolean;
  /** W3C trace context of the call that registered it; absent when that was not traced. */
  readonly traceparent?: string;
}

export interface Judgement {
  readonly verdict: Verdict;
  readonly evaluation: string;
  readonly failedChecks: readonly string[];
}

/** @throws {HeddleError} INVALID_ARGUMENT VERDICT_INVALID for another word or without an evaluation. */
export function readJudgement(given: {
  readonly verdict: string;
  readonly evaluation: string;
  readonly failedChecks: readonly string[];
}): Judgement {
  const verdict = verdicts.find((known) => known === given.verdict);
  if (verdict === undefined || given.evaluation === "") {
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "VERDICT_INVALID",
      `expected a verdict of ${verdicts.join(", ")} and the evaluation behind it, not "${given.verdict}" of "${given.evaluation}"`,
    );
  }
  return { verdict, evaluation: given.evaluation, failedChecks: [...given.failedChecks] };
}

/** The version as last judged: an evaluation on more data replaces an earlier verdict. */
export function judged(version: Version, judgement: Judgement): Version {
  return { ...version, ...judgement };
}

/** @throws {HeddleError} FAILED_PRECONDITION VERSION_NOT_PASSED. */
export function checkPassed(version: Version): void {
  if (version.verdict === "pass") return;
  const { version: name, verdict } = version;
  const found = verdict === "" ? "it was not judged" : `its verdict is ${verdict}`;
  const checks = version.failedChecks.map((check) => `; ${check}`).join("");
  throw new HeddleError(
    "FAILED_PRECONDITION",
    "VERSION_NOT_PASSED",
    `version ${name.slice(0, 12)} of ${version.model} cannot go live: ${found}${checks}; evaluate and gate it first`,
    { metadata: { version: name, verdict } },
  );
}
