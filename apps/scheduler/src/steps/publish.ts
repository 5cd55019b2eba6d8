import { namedStep, outputOf, type StepContext, type StepOfKind, type Work } from "./work.ts";

/** Has a version that passed its gate served; the outputs are `version` and `fleet`. */
export async function publish(
  step: StepOfKind<"publish">,
  { id, run, step: name, clients, config, signal }: StepContext,
): Promise<Work> {
  const { evaluation } = namedStep(run, step.gate, "gate");
  const { version: training } = namedStep(run, evaluation, "evaluate");
  const version = outputOf(run, training, "version");
  const { fleet } = step;
  const reason = `passed ${step.gate} of pipeline run ${id}`;
  // A repeated request continues the same rollout.
  const request = { requestId: `${id}/${name}/${version}`, fleet, version, reason };
  await clients.sync.publish(request, { timeoutMs: config.publishMs, signal });
  return { kind: "done", outputs: { version, fleet } };
}
