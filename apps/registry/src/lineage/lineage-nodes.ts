import { isHeddleError, shortName } from "@heddle/base";
import type { SegmentOrigin } from "@heddle/proto/common";
import type { DatasetManifest, Definition } from "@heddle/proto/feature-store";
import type { FeatureViewDefinition, SourceDefinition } from "@heddle/sdk";
import type { Known } from "@heddle/store";
import { traceIdOf } from "@heddle/telemetry";
import { architectureText } from "../definitions/architecture.ts";
import type { Edge } from "./edges.ts";
import { liveVersion, numberOf } from "../models/family.ts";
import type { FeatureStore } from "../feature-store.ts";
import { findByPrefix, type RegistryStore } from "../store.ts";
import type { Version } from "../models/version.ts";

/** What is known of a node, with those of its edges that are derived and not stored. */
export interface Described {
  readonly label: string;
  readonly facts: Readonly<Record<string, string>>;
  readonly origins?: readonly Edge[];
  readonly results?: readonly Edge[];
}

/** Undefined for what nobody knows. */
export type Describe = (id: string) => Promise<Described | undefined>;

/**
 * Describes nodes for one answer: definitions are asked once.
 *
 * A label says what people call it; facts are those worth a line in a terminal.
 */
export function describeNodes(store: RegistryStore, features: FeatureStore): Describe {
  let definitions: Promise<ReadonlyMap<string, Definition>> | undefined;
  /** Of the datasets described so far, from which alone a segment is reached. */
  const segments = new Map<string, SegmentOrigin>();
  const definition = async (id: string): Promise<Definition | undefined> =>
    (await (definitions ??= features.definitions())).get(id);
  const byKind: Record<string, (name: string, id: string) => Promise<Described | undefined>> = {
    version: async (name) => {
      const version = (await store.versions.get(name))?.state;
      return version && describeVersion(version, store);
    },
    run: async (name) => describeRun(name, store),
    configuration: async (name) => describeConfiguration(name, store),
    dataset: async (name, id) => {
      const manifest = await features.dataset(name);
      for (const origin of manifest?.segments ?? []) segments.set(origin.rowHash, origin);
      return describeDataset(id, manifest);
    },
    view: async (_, id) => describeView(id, await definition(id)),
    source: async (_, id) => describeSource(id, await definition(id)),
    served: async (name) => describeServed(name, store),
    segment: async (name) => describeSegment(name, segments.get(name)),
    author: async (name) => ({ label: name, facts: {} }),
  };
  return async (id) => {
    const colon = id.indexOf(":");
    return byKind[id.slice(0, colon)]?.(id.slice(colon + 1), id);
  };
}

async function describeVersion(version: Version, store: RegistryStore): Promise<Described> {
  const family = (await store.families.get(version.model))?.state;
  const number = family === undefined ? 0 : numberOf(family, version.version);
  const live = family !== undefined && liveVersion(family) === version.version;
  const to = `version:${version.version}`;
  return {
    label: `${version.model} ${number} (${shortName(version.version)})`,
    facts: {
      model: version.model,
      number: String(number),
      verdict: version.verdict || "not judged",
      ...(version.evaluation === "" ? {} : { evaluation: shortName(version.evaluation) }),
      examples: String(version.training.examples),
      registered: isoTime(version.createdTimeMs),
      ...(version.traceparent && { trace: traceIdOf(version.traceparent) }),
    },
    results: live ? [{ from: `served:${version.model}`, to, relation: "serves" }] : [],
  };
}

async function describeRun(name: string, store: RegistryStore): Promise<Described | undefined> {
  const run = (await store.runs.get(name))?.state;
  if (run === undefined) return undefined;
  return {
    label: `run ${shortName(name)}`,
    facts: {
      model: run.model,
      opened: isoTime(run.createdTimeMs),
      snapshots: String(run.snapshots.length),
      environment: run.recipe.environmentJson,
    },
  };
}

async function describeConfiguration(
  name: string,
  store: RegistryStore,
): Promise<Described | undefined> {
  const state = (await store.configurations.get(name))?.state;
  if (state === undefined) return undefined;
  const { definition, createdTimeMs } = state;
  const architecture = architectureText(definition);
  return {
    label: `${definition.name} (${shortName(name)})`,
    facts: { owner: definition.owner, architecture, registered: isoTime(createdTimeMs) },
    origins: [writtenBy(`configuration:${name}`, definition.author)],
  };
}

function describeDataset(id: string, manifest: DatasetManifest | undefined): Described | undefined {
  if (manifest === undefined) return undefined;
  const branches = Object.entries(manifest.branches).map(([source, name]) => `${source}:${name}`);
  return {
    label: `dataset ${shortName(id.slice("dataset:".length))}`,
    facts: {
      rows: String(manifest.rows),
      positives: String(manifest.positives),
      partitions: manifest.partitions.map(({ partition }) => partition).join(", "),
      ...(branches.length === 0 ? {} : { branches: branches.join(", ") }),
    },
    origins: manifest.inputs
      .filter((input) => input.startsWith("segment:"))
      .map((to) => ({ from: id, to, relation: "read" })),
  };
}

function describeSegment(name: string, origin: SegmentOrigin | undefined): Described {
  const label = shortName(name);
  if (origin === undefined) return { label, facts: {} };
  const { source, fileName, events, log, traceparent } = origin;
  const offsets = log.map(
    ({ partition, fromOffset, toOffset }) => `${partition}: ${fromOffset} to ${toOffset}`,
  );
  return {
    label,
    facts: {
      ...{ source, from: fileName, events: String(events) },
      ...(log[0] && { topic: log[0].topic, offsets: offsets.join(", ") }),
      ...(traceparent !== "" && { trace: traceIdOf(traceparent) }),
    },
  };
}

function describeView(id: string, definition: Definition | undefined): Described | undefined {
  if (definition === undefined) return undefined;
  const view = JSON.parse(definition.json) as FeatureViewDefinition;
  const plans = Object.values(view.features);
  const sources = new Set(plans.flatMap((plan) => (plan.from === "example" ? [] : [plan.source])));
  return {
    label: definition.name,
    facts: {
      features: Object.keys(view.features).join(", "),
      reason: view.reason,
      applied: isoTime(Number(definition.appliedTimeMs)),
    },
    origins: [
      ...[...sources].map((source) => ({
        from: id,
        to: `source:${source}`,
        relation: "computes from",
      })),
      writtenBy(id, view.author),
    ],
  };
}

function describeSource(id: string, definition: Definition | undefined): Described | undefined {
  if (definition === undefined) return undefined;
  const source = JSON.parse(definition.json) as SourceDefinition;
  const { owner, licence, lawfulBasis, jurisdiction, retentionDays, purposes } = source;
  return {
    label: source.name,
    facts: {
      owner,
      licence,
      lawfulBasis,
      jurisdiction,
      retentionDays: String(retentionDays),
      purposes: purposes.join(", "),
    },
    origins: definition.author === "" ? [] : [writtenBy(id, definition.author)],
  };
}

async function describeServed(model: string, store: RegistryStore): Promise<Described | undefined> {
  const family = (await store.families.get(model))?.state;
  const change = family?.history.at(-1);
  if (change === undefined || change.version === "") return undefined;
  return {
    label: `${model} as served`,
    facts: { since: isoTime(change.timeMs), reason: change.reason, by: change.actor },
    origins: [{ from: `served:${model}`, to: `version:${change.version}`, relation: "serves" }],
  };
}

/**
 * The id of what a person names: `kind:name` with a full name or a unique prefix, or the name or
 * prefix alone.
 *
 * @returns undefined when nothing has that name.
 */
export async function resolveNode(
  asked: string,
  store: RegistryStore,
): Promise<string | undefined> {
  const [, kind, name = asked] = /^([a-z]+):(.*)$/s.exec(asked) ?? [];
  if (kind === "source" || kind === "view" || kind === "served") return asked;
  const { versions, runs, configurations } = store;
  const finders: Record<string, () => Promise<Known<unknown>>> = {
    version: () => findByPrefix(versions, "version", name),
    run: () => findByPrefix(runs, "run", name),
    configuration: () => findByPrefix(configurations, "configuration", name),
  };
  for (const [known, find] of Object.entries(finders)) {
    if (kind !== undefined && kind !== known) continue;
    try {
      return `${known}:${(await find()).id}`;
    } catch (error) {
      if (!isHeddleError(error) || error.code !== "NOT_FOUND") throw error;
    }
  }
  return kind === undefined || kind === "dataset" ? store.edges.find(`dataset:${name}`) : undefined;
}

const writtenBy = (from: string, author: string): Edge => ({
  from,
  to: `author:${author}`,
  relation: "written by",
});

const isoTime = (ms: number): string => new Date(ms).toISOString();
