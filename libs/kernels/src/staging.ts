import type { Kernel } from "./kernel.ts";

export interface StagingShape {
  readonly dimension: number;
  /** Optimiser slots of a row. */
  readonly slotWidth: number;
  /** Rows that one call of the kernel takes. */
  readonly stagedRows: number;
}

/** What a kernel's calls take and give, seen from here. Valid until its memory grows. */
export interface Staging extends StagingShape {
  /** shape [staged rows]. */
  readonly ids: BigUint64Array;
  /** shape [staged rows, dimension]: values or gradients. */
  readonly values: Float32Array;
  /** shape [staged rows, slot width]. */
  readonly slots: Float32Array;
  /** The whole memory. */
  readonly all: Float32Array;
}

/** Views of a kernel's staging area; made anew when its memory has grown, because growth detaches them. */
export function stagingOf(kernel: Kernel, shape: StagingShape): () => Staging {
  let views = viewsOf(kernel, shape);
  return () => {
    if (views.all.buffer !== kernel.memory.buffer) views = viewsOf(kernel, shape);
    return views;
  };
}

function viewsOf(kernel: Kernel, shape: StagingShape): Staging {
  const { buffer } = kernel.memory;
  const { dimension, slotWidth, stagedRows } = shape;
  return {
    ...shape,
    ids: new BigUint64Array(buffer, kernel.idsAt.value, stagedRows),
    values: new Float32Array(buffer, kernel.valuesAt.value, stagedRows * dimension),
    slots: new Float32Array(buffer, kernel.slotsAt.value, stagedRows * slotWidth),
    all: new Float32Array(buffer),
  };
}
