import type { Kernel } from "./kernel.ts";
import type { TableOptimizer } from "../port.ts";

/** Optimiser slots of a row. */
export function slotsOfRow(optimizer: TableOptimizer, dimension: number): number {
  switch (optimizer.kind) {
    case "sgd":
      return 0;
    case "adagrad":
    case "momentum":
      return dimension;
    case "rowwise-adagrad":
      return 1;
    case "ftrl":
      return 2 * dimension;
    case "adam":
      return 2 * dimension + 2;
  }
}

/**
 * Slots of rows as they are made, for values that come from elsewhere: shape [rows, slots of a row].
 *
 * @param optimizer not FTRL, whose slots are a function of the values.
 */
export function newSlots(
  optimizer: Exclude<TableOptimizer, { readonly kind: "ftrl" }>,
  dimension: number,
  rows: number,
): Float32Array {
  const slots = new Float32Array(rows * slotsOfRow(optimizer, dimension));
  return "initialAccumulator" in optimizer ? slots.fill(optimizer.initialAccumulator) : slots;
}

/** Tells a kernel its update rule; the numbers of the kinds are those of `assembly/table/optimizers.ts`. */
export function setOptimizer(kernel: Kernel, optimizer: TableOptimizer): void {
  const { rate } = optimizer;
  switch (optimizer.kind) {
    case "sgd":
      return kernel.setOptimizer(0, rate, 0, 0, 0, 0, 0);
    case "adagrad":
      return kernel.setOptimizer(
        ...([1, rate, optimizer.initialAccumulator, optimizer.epsilon, 0, 0, 0] as const),
      );
    case "momentum":
      return kernel.setOptimizer(2, rate, 0, 0, optimizer.momentum, 0, 0);
    case "rowwise-adagrad":
      return kernel.setOptimizer(
        ...([3, rate, optimizer.initialAccumulator, optimizer.epsilon, 0, 0, 0] as const),
      );
    case "adam":
      return kernel.setOptimizer(
        ...([4, rate, 0, optimizer.epsilon, optimizer.beta1, optimizer.beta2, 0] as const),
      );
    case "ftrl":
      return kernel.setOptimizer(5, rate, 0, 0, optimizer.beta, optimizer.l1, optimizer.l2);
  }
}
