import type { Optimizer } from "@heddle/kernels";
import type { ModelDefinition } from "@heddle/sdk";

/** Whether one of these names is that of a table or dense parameter, or of its layer. */
export const covers = (entries: readonly string[], name: string): boolean =>
  entries.some((entry) => name === entry || name.startsWith(`${entry}_`));

/** Whether training leaves a table or dense parameter as it is. */
export function isFrozen({ training }: Pick<ModelDefinition, "training">, name: string): boolean {
  return covers(training.transfer?.frozen ?? [], name);
}

/** Of what is frozen: no slots, and its gradients are zeros, by which no value loses a bit. */
export const frozenRule: Optimizer = { kind: "sgd", rate: 1 };
