import { HeddleError, isHeddleError, type Json } from "@heddle/base";
import { auditTopic, eventTopics } from "@heddle/eventlog";
import type { ModelDefinition } from "@heddle/sdk";
import {
  type Aggregates,
  type ChangeContext,
  collectionsOf,
  type Decision,
  type DomainEvent,
  type Known,
  type StoreDeps,
} from "@heddle/store";
import { type Edge, type Edges, openEdges } from "./lineage/edges.ts";
import type { Family } from "./models/family.ts";
import type { Run } from "./models/run.ts";
import type { Version } from "./models/version.ts";

/** A registered configuration; it never changes. */
interface StoredConfiguration {
  readonly configuration: string;
  readonly definition: ModelDefinition;
  readonly author: string;
  readonly createdTimeMs: number;
}

/** The registry's aggregates, and an index of what was made from what. */
export interface RegistryStore {
  readonly families: Aggregates<Family>;
  readonly configurations: Aggregates<StoredConfiguration>;
  readonly runs: Aggregates<Run>;
  readonly versions: Aggregates<Version>;
  readonly edges: Edges;
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
/** A whole name: SHA-256 in hexadecimal. */
const wholeName = /^[0-9a-f]{64}$/;

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
  if (wholeName.test(prefix)) {
    const known = await aggregates.get(prefix);
    if (known === undefined) throw refusals[noun].none(name);
    return known;
  }
  const short = !/^[0-9a-f]+$/.test(prefix) || prefix.length < prefixDigitsMin;
  const { items } = short ? { items: [] } : await aggregates.list({ prefix, limit: 2 });
  const [found, other] = items;
  if (found === undefined) throw refusals[noun].none(name);
  if (other !== undefined) throw refusals[noun].several(name);
  return found;
}

/**
 * Changes the aggregate of this content name or unique prefix of one; a whole name need not be looked up before.
 *
 * @throws {HeddleError} as `findByPrefix` and `Aggregates.update`.
 */
export async function updateByPrefix<State>(
  aggregates: Aggregates<State>,
  noun: keyof typeof refusals,
  name: string,
  decide: (state: State, known: Known<State>) => Decision<State, undefined>,
  context: ChangeContext,
): Promise<void> {
  const whole = name.toLowerCase();
  const id = wholeName.test(whole) ? whole : (await findByPrefix(aggregates, noun, name)).id;
  try {
    await aggregates.update(id, decide, context);
  } catch (error) {
    throw isHeddleError(error, "NO_SUCH_AGGREGATE") ? refusals[noun].none(name) : error;
  }
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
