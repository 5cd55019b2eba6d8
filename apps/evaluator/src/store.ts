import { create, type JsonObject, toJson } from "@bufbuild/protobuf";
import { HeddleError } from "@heddle/base";
import { eventTopics } from "@heddle/eventlog";
import { type Evaluation, EvaluationEventSchema } from "@heddle/proto/evaluator";
import {
  type Aggregates,
  collectionsOf,
  type DomainEvent,
  type Known,
  type StoreDeps,
} from "@heddle/store";
import type { Check, Verdict } from "./gate/gate.ts";
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

export function openEvaluatorStore(deps: StoreDeps): EvaluatorStore {
  const open = collectionsOf(deps);
  return { metrics: open("metric", "metrics"), evaluations: open("evaluation", "evaluations") };
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
