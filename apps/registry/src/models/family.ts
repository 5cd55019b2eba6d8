import { HeddleError } from "@heddle/base";
import type { Limits } from "../config.ts";

/**
 * All that spans the versions of one model, in one aggregate, so that numbers and the live version
 * are decided one at a time, whoever asks.
 */
export interface Family {
  readonly model: string;
  readonly owner: string;
  /** Content names, in the order they were applied; the last one is the current one. */
  readonly configurations: readonly string[];
  readonly runs: readonly string[];
  /** In the order they were registered: a version's number is its place, from 1. */
  readonly versions: readonly string[];
  /** Changes of the live version, oldest first; bounded. */
  readonly history: readonly LiveChange[];
}

export interface LiveChange {
  readonly timeMs: number;
  /** Empty: from then on none. */
  readonly version: string;
  readonly number: number;
  readonly reason: string;
  readonly actor: string;
}

export function newFamily(model: string, owner: string): Family {
  return { model, owner, configurations: [], runs: [], versions: [], history: [] };
}

/**
 * The family with this configuration as its current one.
 *
 * @throws {HeddleError} FAILED_PRECONDITION MODEL_OWNED_BY_OTHER, RESOURCE_EXHAUSTED FAMILY_FULL.
 */
export function configured(
  family: Family,
  configuration: string,
  owner: string,
  limits: Limits,
): Family {
  if (owner !== family.owner) {
    throw new HeddleError(
      "FAILED_PRECONDITION",
      "MODEL_OWNED_BY_OTHER",
      `model ${family.model} belongs to ${family.owner}, not to ${owner}: choose another name or ask its owner`,
      { metadata: { model: family.model, owner: family.owner } },
    );
  }
  if (family.configurations.at(-1) === configuration) return family;
  const others = family.configurations.filter((known) => known !== configuration);
  checkRoom(family, others, "configurations", limits.configurationsPerModelMax);
  return { ...family, configurations: [...others, configuration] };
}

/** The family with this run among its runs. @throws {HeddleError} RESOURCE_EXHAUSTED FAMILY_FULL. */
export function withRun(family: Family, run: string, limits: Limits): Family {
  if (family.runs.includes(run)) return family;
  checkRoom(family, family.runs, "runs", limits.runsPerModelMax);
  return { ...family, runs: [...family.runs, run] };
}

/** The family with this version numbered. @throws {HeddleError} RESOURCE_EXHAUSTED FAMILY_FULL. */
export function numbered(family: Family, version: string, limits: Limits): Family {
  if (family.versions.includes(version)) return family;
  checkRoom(family, family.versions, "versions", limits.versionsPerModelMax);
  return { ...family, versions: [...family.versions, version] };
}

/** 1, 2, …; 0 for a version that is not of this family. */
export function numberOf(family: Family, version: string): number {
  return family.versions.indexOf(version) + 1;
}

/** The live version; empty when none is. */
export function liveVersion(family: Family): string {
  return family.history.at(-1)?.version ?? "";
}

/** The version that was live at a time, milliseconds since the epoch; empty when none was. */
export function liveAt(family: Family, timeMs: number): string {
  return family.history.findLast((change) => change.timeMs <= timeMs)?.version ?? "";
}

export function wasLive(family: Family, version: string): boolean {
  return family.history.some((change) => change.version === version);
}

/** The family with another live version, or none for the empty one. The same one again changes nothing. */
export function withLive(
  family: Family,
  change: Omit<LiveChange, "number">,
  limits: Limits,
): Family {
  if (liveVersion(family) === change.version) return family;
  // A clock set back must not put a change before the one that it follows.
  const timeMs = Math.max(change.timeMs, family.history.at(-1)?.timeMs ?? 0);
  const next = { ...change, timeMs, number: numberOf(family, change.version) };
  return { ...family, history: [...family.history, next].slice(-limits.liveChangesMax) };
}

function checkRoom(family: Family, items: readonly string[], what: string, max: number): void {
  if (items.length < max) return;
  throw new HeddleError(
    "RESOURCE_EXHAUSTED",
    "FAMILY_FULL",
    `model ${family.model} has ${max} ${what}, as many as one family keeps: go on under another name`,
    { metadata: { model: family.model } },
  );
}
