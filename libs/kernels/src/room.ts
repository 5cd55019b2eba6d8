import type { Kernel } from "./kernel.ts";
import type { InstanceMemory, Part } from "./part.ts";
import { pieces } from "./pieces.ts";
import { noMemory, refuseBeyond } from "./refusals.ts";
import type { Staging } from "./staging.ts";

/** Room for the rows of some pushes to come spares these the count, and is no memory until it is written to. */
const pushesAhead = 2;

/** Sees to it that there is memory for rows before they come. */
export function openRoom(
  kernel: Kernel,
  staging: () => Staging,
  { rowsMax, pages }: InstanceMemory & { readonly rowsMax: number },
): Pick<Part, "countMissing" | "makeRoom"> {
  const rows = (): number => kernel.rows.value >>> 0;
  const countMissing = (ids: BigUint64Array): number => {
    const { ids: stagedIds, stagedRows } = staging();
    let missing = 0;
    for (const { from, to } of pieces(ids.length, stagedRows)) {
      stagedIds.set(ids.subarray(from, to));
      missing += kernel.countMissing(to - from);
    }
    return missing;
  };
  return {
    countMissing,
    makeRoom: (ids, what) => {
      if (rows() + ids.length <= rowsMax && kernel.hasRoom(ids.length)) return ids.length;
      const missing = countMissing(ids);
      refuseBeyond(rows() + missing, rowsMax, what);
      const ahead = Math.min(missing + pushesAhead * ids.length, rowsMax - rows());
      if (kernel.reserve(ahead)) return ahead;
      if (!kernel.reserve(missing)) throw noMemory(rows() + missing, pages);
      return missing;
    },
  };
}
