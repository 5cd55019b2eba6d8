import { assert } from "@heddle/base";
import { checkLength, gradientMax, notFinite } from "./gradients.ts";
import { type Kernel, openKernel } from "./table/kernel.ts";
import type { Optimizer } from "./port.ts";
import { noMemory } from "./refusals.ts";
import { type Staging, stagingOf } from "./table/staging.ts";
import { newSlots, setOptimizer, slotsOfRow } from "./table/table-optimizer.ts";
import { pagesMax } from "./wasm.ts";

/** A dense parameter with its optimiser slots. */
export interface DenseVector {
  /** The values now; they change with every push. */
  readonly values: Float32Array;
  /** Optimiser slots, as a row of that many values has them. */
  readonly slots: Float32Array;
  /** Memory that it takes. */
  readonly bytes: number;
  /**
   * Looks at a gradient and keeps a copy of it.
   *
   * @param what it is called in errors.
   * @returns what applies it; good until the next call.
   * @throws {HeddleError} INVALID_ARGUMENT NOT_FINITE, WRONG_SIZE.
   */
  prepare(gradient: Float32Array, what: string): () => void;
  /**
   * Applies a gradient.
   *
   * @throws {HeddleError} as `prepare`; then nothing of it is applied.
   */
  push(gradient: Float32Array): void;
  /** @throws {HeddleError} INVALID_ARGUMENT WRONG_SIZE. */
  restore(values: Float32Array, slots: Float32Array): void;
}

/**
 * A dense parameter that starts from a copy of `initial`: the one row of a kernel of its own, which moves it as it moves rows.
 *
 * @throws {HeddleError} RESOURCE_EXHAUSTED TABLE_FULL when there is no memory for it.
 */
export function createDense(initial: Float32Array, optimizer: Optimizer): DenseVector {
  const { kernel, staged, values, slots } = openRow(initial, optimizer);
  const prepare: DenseVector["prepare"] = (gradient, what) => {
    checkLength(gradient.length, values.length, `the gradient of ${what}`);
    staged.values.set(gradient);
    const at = kernel.firstBad(gradient.length, gradientMax);
    if (at < gradient.length) throw notFinite(at, gradient[at] as number, what);
    return () => kernel.push(1, 0);
  };
  return {
    values,
    slots,
    bytes: kernel.memory.buffer.byteLength,
    prepare,
    push: (gradient) => prepare(gradient, "a dense parameter")(),
    restore: (savedValues, savedSlots) => {
      checkLength(savedValues.length, values.length, "a saved dense parameter");
      checkLength(savedSlots.length, slots.length, "a saved dense parameter's slots");
      values.set(savedValues);
      slots.set(savedSlots);
    },
  };
}

/** A kernel with one row, and views of it: its memory never grows again, and records do not move. */
function openRow(initial: Float32Array, optimizer: Optimizer) {
  const dimension = initial.length;
  const slotWidth = slotsOfRow(optimizer, dimension);
  const kernel = openKernel(pagesMax);
  if (!kernel.configure(dimension, slotWidth, 1, false, false) || !kernel.reserve(1)) {
    throw noMemory(0, pagesMax);
  }
  setOptimizer(kernel, optimizer);
  const staged = stagingOf(kernel, { dimension, slotWidth, stagedRows: 1, versions: false })();
  staged.ids[0] = 0n;
  staged.values.set(initial);
  staged.slots.set(newSlots(optimizer, dimension, 1));
  kernel.write(1);
  return { kernel, staged, ...viewsOf(kernel, staged) };
}

function viewsOf(kernel: Kernel, { found, dimension, slotWidth }: Staging) {
  assert(kernel.countMissing(1) === 0, "the row was written");
  const values = (found[0] as number) + BigUint64Array.BYTES_PER_ELEMENT;
  const { buffer } = kernel.memory;
  return {
    values: new Float32Array(buffer, values, dimension),
    slots: new Float32Array(buffer, values + 4 * dimension, slotWidth),
  };
}
