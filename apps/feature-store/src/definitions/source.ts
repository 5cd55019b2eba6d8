import { eventTopics } from "@heddle/eventlog";
import type { SegmentFile } from "@heddle/feature-engine";
import type { SourceDefinition } from "@heddle/sdk";
import type { Decision, DomainEvent } from "@heddle/store";

/** A source: its definition and what it holds. */
export interface Source {
  readonly definition: SourceDefinition;
  readonly digest: string;
  readonly author: string;
  readonly appliedTimeMs: number;
  /** Segments by branch, oldest first; a branch starts as a copy of `main`. */
  readonly branches: Readonly<Record<string, readonly SegmentFile[]>>;
  /** How far its stream is cut; absent before the first window, and where it has none. */
  readonly stream?: StreamState;
}

/** A stream's windows, in the same document as their segments: a record is in a window once. */
export interface StreamState {
  /** Windows cut. */
  readonly windows: number;
  /** By partition of the topic: where the next window begins, and up to where the log is cut. They differ behind records that held no event. */
  readonly from: readonly number[];
  readonly cut: readonly number[];
  /** Records that were no events, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** One of those of the newest window that had some: where it was, and what is wrong with it. */
  readonly refusedExample?: string;
}

export const mainBranch = "main";

/** Segments of a source on one branch: a document of 1 MiB holds some 1,500. */
export const segmentsMax = 700;

export type IngestOutcome = {
  readonly events: number;
  readonly duplicates: number;
  /** Absent of what was answered before it was counted. */
  readonly differing?: number;
};

/** Segments a reader of the branch sees; a branch nobody made yet is main. */
export function segmentsOn(source: Source, branch: string): readonly SegmentFile[] {
  return source.branches[branch] ?? source.branches[mainBranch] ?? [];
}

export function applied(
  definition: SourceDefinition,
  digest: string,
  author: string,
  nowMs: number,
): Decision<Source, undefined> {
  const state = {
    definition,
    digest,
    author,
    appliedTimeMs: nowMs,
    branches: { [mainBranch]: [] },
  };
  return { state, events: [sourceEvent(definition.name, "applied", "", 0)] };
}

/** The source after a file: events are added, a reference table is replaced whole. */
export function ingested(
  source: Source,
  branch: string,
  segment: SegmentFile | undefined,
  outcome: IngestOutcome,
): Decision<Source, IngestOutcome> {
  const { name, eventTime } = source.definition;
  const known = segmentsOn(source, branch);
  const added = segment === undefined ? [] : [segment];
  const segments = eventTime === undefined && segment !== undefined ? added : [...known, ...added];
  const branched = source.branches[branch] === undefined;
  return {
    state: { ...source, branches: { ...source.branches, [branch]: segments } },
    events: [
      ...(branched ? [sourceEvent(name, "branched", branch, 0)] : []),
      sourceEvent(name, "ingested", branch, outcome.events),
    ],
    result: outcome,
  };
}

/** The source after a piece of its log: a window, or no more than that these records held nothing new. */
export function windowCut(
  source: Source,
  segment: SegmentFile | undefined,
  stream: StreamState,
  outcome: IngestOutcome,
): Decision<Source, IngestOutcome> {
  const decision = ingested(source, mainBranch, segment, outcome);
  return { ...decision, state: { ...decision.state, stream } };
}

function sourceEvent(
  source: string,
  change: "applied" | "ingested" | "branched",
  branch: string,
  events: number,
): DomainEvent {
  return {
    topic: eventTopics.features.name,
    type: "heddle.feature_store.v1.SourceEvent",
    data: { source, change, branch, events: String(events) },
  };
}
