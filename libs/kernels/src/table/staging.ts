import type { Kernel } from "./kernel.ts";
import type { TableRows } from "../port.ts";

export interface StagingShape {
  readonly dimension: number;
  /** Optimiser slots of a row. */
  readonly slotWidth: number;
  /** Rows that one call of the kernel takes. */
  readonly stagedRows: number;
  /** The table keeps a version a row. */
  readonly versions: boolean;
}

/** What a kernel's calls take and give, seen from here. Valid until its memory grows. */
export interface Staging extends StagingShape {
  /** shape [staged rows]. */
  readonly ids: BigUint64Array;
  /** shape [staged rows, dimension]: values or gradients. */
  readonly values: Float32Array;
  /** shape [staged rows, slot width]. */
  readonly slots: Float32Array;
  /** shape [staged rows], or nothing where the table keeps none. */
  readonly rowVersions: Uint32Array;
  /** shape [staged rows]: what the kernel found of each id. */
  readonly found: Uint32Array;
}

/** Views of a kernel's staging area; made anew when its memory has grown, because growth detaches them. */
export function stagingOf(kernel: Kernel, shape: StagingShape): () => Staging {
  let views = viewsOf(kernel, shape);
  return () => {
    if (views.ids.buffer !== kernel.memory.buffer) views = viewsOf(kernel, shape);
    return views;
  };
}

function viewsOf(kernel: Kernel, shape: StagingShape): Staging {
  const { buffer } = kernel.memory;
  const { dimension, slotWidth, stagedRows, versions } = shape;
  return {
    ...shape,
    ids: new BigUint64Array(buffer, kernel.idsAt.value, stagedRows),
    values: new Float32Array(buffer, kernel.valuesAt.value, stagedRows * dimension),
    slots: new Float32Array(buffer, kernel.slotsAt.value, stagedRows * slotWidth),
    rowVersions: new Uint32Array(buffer, kernel.versionsAt.value, versions ? stagedRows : 0),
    found: new Uint32Array(buffer, kernel.foundAt.value, stagedRows),
  };
}

/** What is staged, as rows. */
export function stagedRowsOf({ ids, values, slots, rowVersions, versions }: Staging): TableRows {
  return { ids, values, slots, ...(versions ? { versions: rowVersions } : {}) };
}
