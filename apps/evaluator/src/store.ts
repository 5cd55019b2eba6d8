import { create, type JsonObject, toJson } from "@bufbuild/protobuf";
import { type Clock, HeddleError, isHeddleError } from "@heddle/base";
import { eventTopics } from "@heddle/eventlog";
import { type Evaluation, EvaluationEventSchema } from "@heddle/proto/evaluator";
import {
  type Aggregate,
  type Aggregates,
  type ChangeContext,
  type DocumentStore,
  type DomainEvent,
  type Known,
  openAggregates,
} from "@heddle/store";
import type { Check, Verdict } from "./gate.ts";
import type { StoredMetric } from "./metric-definition.ts";

/** A recorded evaluation; what it measured is the object of its name. */
export interface StoredEvaluation {
  readonly model: string;
  readonly version: string;
  /** Empty before the gate. */
  readonly verdict: Verdict | "";
  readonly checks: readonly Check[];
}

export interface EvaluatorStore {
  /** By name. */
  readonly metrics: Aggregates<StoredMetric>;
  /** By content name. */
  readonly evaluations: Aggregates<StoredEvaluation>;
}

export interface StoreDeps {
  readonly store: DocumentStore;
  readonly clock: Clock;
  readonly random: () => number;
}

export function openEvaluatorStore({ store, clock, random }: StoreDeps): EvaluatorStore {
  const open = <State>(noun: string, collection: string): Aggregates<State> =>
    openAggregates(store.collection<Aggregate<State>>(collection), { noun, clock, random });
  return { metrics: open("metric", "metrics"), evaluations: open("evaluation", "evaluations") };
}

/** Creates an aggregate, or finds the one that another request created. */
export async function createOnce<State>(
  aggregates: Aggregates<State>,
  id: string,
  decision: { readonly state: State; readonly events: readonly DomainEvent[] },
  context: ChangeContext,
): Promise<State> {
  const known = await aggregates.get(id);
  if (known !== undefined) return known.state;
  try {
    return (await aggregates.create(id, decision, context)).state;
  } catch (error) {
    if (!isHeddleError(error, "AGGREGATE_EXISTS")) throw error;
    const other = await aggregates.get(id);
    if (other === undefined) throw error;
    return other.state;
  }
}

/** @throws {HeddleError} NOT_FOUND UNKNOWN_METRIC or UNKNOWN_EVALUATION. */
export async function find<State>(
  aggregates: Aggregates<State>,
  noun: "metric" | "evaluation",
  id: string,
): Promise<Known<State>> {
  const known = id === "" ? undefined : await aggregates.get(id);
  if (known !== undefined) return known;
  const remedy = noun === "metric" ? "apply its definition first" : "record it first";
  throw new HeddleError(
    "NOT_FOUND",
    noun === "metric" ? "UNKNOWN_METRIC" : "UNKNOWN_EVALUATION",
    `there is no ${noun} "${id}": ${remedy}`,
    { metadata: { [noun]: id } },
  );
}

const topic = eventTopics.evaluations.name;

/** What the world is told of an evaluation: measured, with its figures over all rows. */
export function measuredEvent(
  evaluation: string,
  { model, version, dataset, trainingDataset, metrics }: Evaluation,
): DomainEvent {
  const overall = metrics.filter(({ slice }) => slice === "");
  const facts = { model, version, evaluation, dataset, trainingDataset, metrics: overall };
  const data = toJson(EvaluationEventSchema, create(EvaluationEventSchema, facts)) as JsonObject;
  return { topic, type: EvaluationEventSchema.typeName, data };
}

/** And judged. */
export function judgedEvent(
  evaluation: string,
  { model, version, verdict }: StoredEvaluation,
): DomainEvent {
  return {
    ...{ topic, type: EvaluationEventSchema.typeName },
    data: { model, version, evaluation, verdict },
  };
}

export function metricEvent({ digest, definition: { name } }: StoredMetric): DomainEvent {
  return { topic, type: "heddle.evaluator.v1.MetricEvent", data: { metric: name, digest } };
}
