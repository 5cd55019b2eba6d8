import { HeddleError, isHeddleError, type Json } from "@heddle/base";
import { auditTopic, eventTopics } from "@heddle/eventlog";
import type { ModelDefinition } from "@heddle/sdk";
import {
  type Aggregates,
  collectionsOf,
  type Documents,
  type DomainEvent,
  type Known,
  type StoreDeps,
} from "@heddle/store";
import type { Family } from "./family.ts";
import type { Run } from "./run.ts";
import type { Version } from "./version.ts";

/** A registered configuration; it never changes. */
interface StoredConfiguration {
  readonly configuration: string;
  readonly definition: ModelDefinition;
  readonly author: string;
  readonly createdTimeMs: number;
}

/** `from` was made from `to`. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly relation: string;
}

/** The registry's aggregates, and an index of what was made from what. */
export interface RegistryStore {
  readonly families: Aggregates<Family>;
  readonly configurations: Aggregates<StoredConfiguration>;
  readonly runs: Aggregates<Run>;
  readonly versions: Aggregates<Version>;
  readonly edges: Edges;
}

/**
 * Edges of the lineage, kept in both directions. An edge is a fact that follows from immutable
 * things and is written before what it tells of is acknowledged, so it needs no audit and no event.
 */
export interface Edges {
  add(edges: readonly Edge[]): Promise<void>;
  /** What this node was made from. */
  origins(node: string): Promise<readonly Edge[]>;
  /** What was made from this node. */
  results(node: string): Promise<readonly Edge[]>;
  /** The one node something was made from whose id begins so. */
  find(idPrefix: string): Promise<string | undefined>;
}

export function openRegistryStore(deps: StoreDeps): RegistryStore {
  const { store } = deps;
  const open = collectionsOf(deps);
  return {
    families: open("model", "families"),
    configurations: open("configuration", "configurations"),
    runs: open("run", "runs"),
    versions: open("version", "versions"),
    edges: openEdges(store.collection<Edge>("origins"), store.collection<Edge>("results")),
  };
}

/** Fewer digits would soon mean several things. */
const prefixDigitsMin = 6;

/** Things found by a prefix of their content name, and how each is missed. */
const refusals = {
  version: {
    none: (name: string) => none("UNKNOWN_VERSION", "version", name),
    several: (name: string) => several("AMBIGUOUS_VERSION", "version", name),
  },
  run: {
    none: (name: string) => none("UNKNOWN_RUN", "run", name),
    several: (name: string) => several("AMBIGUOUS_RUN", "run", name),
  },
  configuration: {
    none: (name: string) => none("UNKNOWN_CONFIGURATION", "configuration", name),
    several: (name: string) => several("AMBIGUOUS_CONFIGURATION", "configuration", name),
  },
} as const;

/**
 * The aggregate of this content name or unique prefix of one.
 *
 * @throws {HeddleError} NOT_FOUND UNKNOWN_<NOUN>, INVALID_ARGUMENT AMBIGUOUS_<NOUN>.
 */
export async function findByPrefix<State>(
  aggregates: Aggregates<State>,
  noun: keyof typeof refusals,
  name: string,
): Promise<Known<State>> {
  const prefix = name.toLowerCase();
  const short = !/^[0-9a-f]+$/.test(prefix) || prefix.length < prefixDigitsMin;
  const { items } = short ? { items: [] } : await aggregates.list({ prefix, limit: 2 });
  const [found, other] = items;
  if (found === undefined) throw refusals[noun].none(name);
  if (other !== undefined) throw refusals[noun].several(name);
  return found;
}

function none(reason: string, noun: string, name: string): HeddleError {
  return new HeddleError(
    "NOT_FOUND",
    reason,
    `there is no ${noun} "${name}": give its name or at least 6 of its first digits`,
    { metadata: { [noun]: name } },
  );
}

function several(reason: string, noun: string, name: string): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    reason,
    `more than one ${noun} begins with ${name}: give more digits`,
    { metadata: { [noun]: name } },
  );
}

/** A page: a node with more neighbours shows these, far more than an answer holds. */
const edgesOfNodeMax = 1_000;

function openEdges(origins: Documents<Edge>, results: Documents<Edge>): Edges {
  const read = async (documents: Documents<Edge>, node: string): Promise<readonly Edge[]> => {
    const { items } = await documents.list({ prefix: `${node}|`, limit: edgesOfNodeMax });
    return items.map((item) => item.value);
  };
  return {
    add: async (edges) => {
      await Promise.all(
        edges.flatMap((edge) => [
          addOnce(origins, `${edge.from}|${edge.to}`, edge),
          addOnce(results, `${edge.to}|${edge.from}`, edge),
        ]),
      );
    },
    origins: (node) => read(origins, node),
    results: (node) => read(results, node),
    find: async (idPrefix) => {
      const { items } = await results.list({ prefix: idPrefix, limit: edgesOfNodeMax });
      const ids = new Set(items.map((item) => item.value.to));
      return ids.size === 1 ? [...ids][0] : undefined;
    },
  };
}

async function addOnce(documents: Documents<Edge>, key: string, edge: Edge): Promise<void> {
  if ((await documents.get(key)) !== undefined) return;
  try {
    await documents.put(key, edge, 0);
  } catch (error) {
    if (!isHeddleError(error, "REVISION_CONFLICT")) throw error;
  }
}

type Event = DomainEvent & { readonly data: Readonly<Record<string, Json>> };

/** What a change of the registry tells the world. */
export function modelEvent(
  model: string,
  change: "configured" | "run-opened" | "snapshot" | "registered" | "judged" | "live" | "archived",
  about: EventFacts = {},
): Event {
  return {
    topic: eventTopics.models.name,
    type: "heddle.registry.v1.ModelEvent",
    data: { model, change, ...about },
  };
}

/** Fields of a `ModelEvent` beside its model and change. */
interface EventFacts {
  readonly version?: string;
  readonly run?: string;
  readonly number?: number;
  readonly dataset?: string;
  readonly configuration?: string;
}

/** The audit record of a step inside a change that has one event for the world already. */
export function trailEvent(model: string, change: string): Event {
  return {
    topic: auditTopic.name,
    type: "heddle.registry.v1.ModelEvent",
    data: { model, change },
  };
}
