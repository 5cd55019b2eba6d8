import { HeddleError, present } from "@heddle/base";
import { failpoint } from "@heddle/failpoint";
import type { Objects } from "@heddle/objects";
import { EvaluatorService } from "@heddle/proto/evaluator";
import type { RegistryService } from "@heddle/proto/registry";
import { type CallContext, type Client, implement, type Implementation } from "@heddle/rpc";
import type { MetricDefinition, ModelDefinition } from "@heddle/sdk";
import { type ChangeContext, changeContextOf, createOnce, type Known } from "@heddle/store";
import { type Judgement, judge } from "./gate/gate.ts";
import { readMetric } from "./metric-definition.ts";
import { getRecorded, nameEvaluation, putEvaluation } from "./recorded-evaluation.ts";
import {
  type EvaluatorStore,
  find,
  judgedEvent,
  measuredEvent,
  metricEvent,
  type StoredEvaluation,
} from "./store.ts";

export interface ServiceDeps {
  readonly store: EvaluatorStore;
  readonly objects: Objects;
  readonly registry: Client<typeof RegistryService>;
}

/** How long a call of the registry may take, when the caller gives more. */
const registryMs = 10_000;

/** The RPCs of the evaluator. */
export function evaluatorService(deps: ServiceDeps): Implementation {
  const { store, objects } = deps;
  const { metrics, evaluations } = store;
  return implement(EvaluatorService, {
    applyMetric: async (request, call) => {
      const metric = readMetric(request.definitionJson);
      const { name } = metric.definition;
      const decision = { state: metric, events: [metricEvent(metric)] };
      const { state } = await createOnce(metrics, name, decision, changeContextOf(request, call));
      if (state.digest !== metric.digest) throw definitionChanged(name);
      return { digest: state.digest };
    },
    getMetric: async ({ name }) => {
      const { state } = await find(metrics, "metric", name);
      return { definitionJson: JSON.stringify(state.definition) };
    },
    recordEvaluation: async (request, call) => {
      const context = changeContextOf(request, call);
      const named = nameEvaluation(request.evaluation);
      const evaluation = present(request.evaluation, "a checked evaluation");
      const { model, version } = evaluation;
      await putEvaluation(objects, named);
      failpoint("evaluator.record.after-object");
      const state: StoredEvaluation = { model, version, verdict: "", checks: [] };
      const events = [measuredEvent(named.evaluation, evaluation)];
      await createOnce(evaluations, named.evaluation, { state, events }, context);
      return { evaluation: named.evaluation };
    },
    getEvaluation: async ({ evaluation }) => {
      await find(evaluations, "evaluation", evaluation);
      return { evaluation: await getRecorded(objects, evaluation) };
    },
    gate: async (request, call) => {
      const context = changeContextOf(request, call);
      const known = await find(evaluations, "evaluation", request.evaluation);
      const { id } = known;
      const judgement = await judgeRecorded(known, deps, call);
      await tellRegistry(known, judgement, context, deps, call);
      failpoint("evaluator.gate.after-registry");
      const { verdict, checks } = judgement;
      await evaluations.update(
        id,
        (current) => {
          const state = { ...current, verdict, checks };
          return { state, events: [judgedEvent(id, state)] };
        },
        context,
      );
      return { verdict, checks: [...checks] };
    },
  });
}

/** The verdict by the gate of the version's own configuration: a function of immutable things. */
async function judgeRecorded(
  { id, state }: Known<StoredEvaluation>,
  { store, objects, registry }: ServiceDeps,
  call: CallContext,
): Promise<Judgement> {
  const options = { timeoutMs: registryMs, signal: call.signal };
  const evaluation = await getRecorded(objects, id);
  const { version } = await registry.getVersion({ version: state.version }, options);
  const { configuration } = present(version?.recipe, `the recipe of ${state.version}`);
  const { definitionJson } = await registry.getConfiguration({ configuration }, options);
  const { gate, metrics } = JSON.parse(definitionJson) as ModelDefinition;
  const custom: MetricDefinition[] = [];
  for (const name of metrics) {
    custom.push((await find(store.metrics, "metric", name)).state.definition);
  }
  return judge(evaluation, gate, custom);
}

/**
 * The registry knows a verdict before the evaluator's event tells of it. When the evaluator stops
 * between the two, the caller's next try finds the same verdict and does both again, once each.
 */
async function tellRegistry(
  { id, state }: Known<StoredEvaluation>,
  { verdict, checks }: Judgement,
  { requestId }: ChangeContext,
  { registry }: ServiceDeps,
  { signal }: CallContext,
): Promise<void> {
  await registry.recordVerdict(
    {
      requestId: `${requestId}/verdict`,
      version: state.version,
      verdict,
      evaluation: id,
      failedChecks: checks
        .filter((check) => check.verdict !== "pass")
        .map(({ name, explanation }) => `${name}: ${explanation}`),
    },
    { timeoutMs: registryMs, signal },
  );
}

function definitionChanged(metric: string): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "DEFINITION_CHANGED",
    `metric ${metric} is applied already with another definition, and figures of one name must mean one thing: give the new one a new name`,
    { metadata: { metric } },
  );
}
