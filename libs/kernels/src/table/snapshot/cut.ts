import type { Kernel } from "../kernel.ts";
import { pieces } from "../../pieces.ts";
import type { FrozenView } from "../../port.ts";
import { noMemory, refuseFrozen } from "../../refusals.ts";
import { createRowCopies, createRowQueue, type RowQueue } from "./row-copies.ts";
import { type Staging, stagedRowsOf } from "../staging.ts";

/** The frozen view of a table, if there is one. */
export interface Cut {
  readonly frozen: boolean;
  /** Memory of rows that wait to be handed out, in bytes. */
  readonly bytes: number;
  /** Copies those rows of `ids` that the view still lacks, before they change. */
  beforeChange(ids: BigUint64Array): void;
  freeze(since: number | undefined): FrozenView;
}

/**
 * Which rows a view still lacks, the kernel knows. Their copies wait here, outside its memory, so that a table near its limit can be
 * frozen, and no push is refused for a view's sake.
 */
export function createCut(kernel: Kernel, staging: () => Staging, pagesMax: number): Cut {
  /** Rows saved for the view; absent while there is none. */
  let saved: RowQueue | undefined;
  return {
    get frozen() {
      return saved !== undefined;
    },
    get bytes() {
      return saved?.bytes ?? 0;
    },
    beforeChange: (ids) => {
      if (saved === undefined) return;
      const staged = staging();
      for (const { from, to } of pieces(ids.length, staged.stagedRows)) {
        staged.ids.set(ids.subarray(from, to));
        const count = kernel.takeOfCut(to - from);
        saved.add(stagedRowsOf(staged), count);
      }
    },
    freeze: (since) => {
      refuseFrozen(saved !== undefined, "a second cut was asked for");
      if (!kernel.freeze(since ?? -1)) throw noMemory(kernel.rows.value >>> 0, pagesMax);
      const own = createRowQueue(staging());
      saved = own;
      return {
        next: (bytesMax) =>
          saved === own ? nextRows(kernel, staging(), own, bytesMax) : undefined,
        release: () => {
          if (saved !== own) return;
          kernel.release();
          saved = undefined;
        },
      };
    },
  };
}

/** Those saved come first: so they wait no longer than they must. */
function nextRows(kernel: Kernel, staging: Staging, saved: RowQueue, bytesMax: number) {
  if (saved.empty && kernel.cutLeft() === 0) return undefined;
  const { dimension, slotWidth, stagedRows, versions } = staging;
  const rowBytes = 8 + 4 * (dimension + slotWidth) + (versions ? 4 : 0);
  const out = createRowCopies(staging, Math.max(1, Math.floor(bytesMax / rowBytes)));
  saved.moveTo(out);
  for (const { from, to } of pieces(out.capacity - out.count, stagedRows)) {
    const count = kernel.nextOfCut(to - from);
    out.append(stagedRowsOf(staging), 0, count);
    if (kernel.cutLeft() === 0) break;
  }
  return out.rows();
}
