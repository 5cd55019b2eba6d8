import type { Evaluation, Metric } from "@heddle/proto/evaluator";
import type { Version } from "@heddle/proto/registry";
import { type PipelineRun, Status } from "@heddle/proto/scheduler";
import type { Serving } from "@heddle/proto/sync";
import type { Clients } from "../host/clients.ts";

/** All that a pipeline run came to, gathered from the services that own each part. */
export interface Outcome {
  readonly run: PipelineRun;
  readonly version?: Version;
  readonly evaluation?: Evaluation;
  /** `pass`, `fail`, `not-enough-data`; empty when the run did not come so far. */
  readonly verdict: string;
  /** The version's entry in its fleet; absent when it does not serve. */
  readonly serving?: Serving;
}

const timeoutMs = 30_000;

export async function outcomeOf(clients: Clients, run: PipelineRun): Promise<Outcome> {
  const output = (kind: string, name: string): string =>
    run.steps.find((step) => step.kind === kind)?.outputs[name] ?? "";
  const name = output("train", "version");
  const version =
    name === ""
      ? undefined
      : (await clients.registry.getVersion({ version: name }, { timeoutMs })).version;
  const measured = output("evaluate", "evaluation");
  const evaluation =
    measured === ""
      ? undefined
      : (await clients.evaluator.getEvaluation({ evaluation: measured }, { timeoutMs })).evaluation;
  const published = run.steps.find((step) => step.kind === "publish");
  const serving =
    published?.status === Status.SUCCEEDED
      ? await servingOf(clients, published.outputs["fleet"] ?? "main", run.model)
      : undefined;
  return {
    run,
    ...(version === undefined ? {} : { version }),
    ...(evaluation === undefined ? {} : { evaluation }),
    ...(serving === undefined ? {} : { serving }),
    verdict: output("gate", "verdict"),
  };
}

async function servingOf(
  clients: Clients,
  fleet: string,
  model: string,
): Promise<Serving | undefined> {
  const answer = await clients.sync.getFleet({ fleet }, { timeoutMs });
  return answer.fleet?.servings.find((serving) => serving.model === model);
}

/** How well a model ranks, over all visits; undefined for one that does not rank. */
export function rankingOf(evaluation: Evaluation | undefined): Metric | undefined {
  return evaluation?.metrics.find(({ name, slice }) => name.startsWith("ndcg@") && slice === "");
}

/** A metric over all rows, or over one slice. */
export function metricOf(
  evaluation: Evaluation | undefined,
  name: string,
  slice = "",
): Metric | undefined {
  return evaluation?.metrics.find((metric) => metric.name === name && metric.slice === slice);
}
