import type { Kernel } from "../kernel.ts";
import type { InstanceMemory, Part } from "../part.ts";
import { pieces } from "../../pieces.ts";
import type { PushClock } from "./push-clock.ts";
import { noMemory, refuseBeyond } from "../../refusals.ts";
import type { Staging } from "../staging.ts";

/** Room for the rows of some pushes to come spares these the count, and is no memory until it is written to. */
const pushesAhead = 2;

/** Sees to it that there is memory for rows before they come. */
export function openRoom(
  kernel: Kernel,
  staging: () => Staging,
  clock: PushClock,
  { rowsMax, pages }: InstanceMemory & { readonly rowsMax: number },
): Pick<Part, "rowsWith" | "makeRoom"> {
  const rows = (): number => kernel.rows.value >>> 0;
  const count = (ids: BigUint64Array, of: (staged: number) => number): number => {
    const { ids: stagedIds, stagedRows } = staging();
    let sum = 0;
    for (const { from, to } of pieces(ids.length, stagedRows)) {
      stagedIds.set(ids.subarray(from, to));
      sum += of(to - from);
    }
    return sum;
  };
  /** Ids without a cell: an expired row has one, which it takes again. */
  const countMissing = (ids: BigUint64Array): number => count(ids, kernel.countMissing);
  const rowsWith = (ids: BigUint64Array, version: number): number =>
    clock.before(version, () => (kernel.countLiving() >>> 0) + count(ids, kernel.countAbsent));
  return {
    rowsWith,
    makeRoom: (ids, what, version = 0) => {
      if (rows() + ids.length <= rowsMax && kernel.hasRoom(ids.length)) return ids.length;
      let missing = countMissing(ids);
      if (rows() + missing > rowsMax) {
        // Whether a push is refused must not depend on when expired rows are swept, nor on a view that keeps them.
        refuseBeyond(rowsWith(ids, version), rowsMax, what);
        kernel.sweepAll();
        missing = countMissing(ids);
      }
      const rest = Math.max(0, rowsMax - rows() - missing);
      const ahead = missing + Math.min(pushesAhead * ids.length, rest);
      if (kernel.reserve(ahead)) return ahead;
      kernel.sweepAll();
      missing = countMissing(ids);
      if (!kernel.reserve(missing)) throw noMemory(rows() + missing, pages);
      return missing;
    },
  };
}
