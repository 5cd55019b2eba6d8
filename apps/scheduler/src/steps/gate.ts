import { outputOf, type StepContext, type StepOfKind, type Work } from "./work.ts";

/** Asks the evaluator for its verdict; the output is `verdict`. */
export async function gate(
  step: StepOfKind<"gate">,
  { id, run, step: name, clients, config, signal }: StepContext,
): Promise<Work> {
  const evaluation = outputOf(run, step.evaluation, "evaluation");
  // One judgement per evaluation, however often the step is tried.
  const request = { requestId: `${id}/${name}/${evaluation}`, evaluation };
  const { verdict } = await clients.evaluator.gate(request, { timeoutMs: config.gateMs, signal });
  return { kind: "done", outputs: { verdict } };
}
