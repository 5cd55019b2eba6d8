import type { Kernel } from "./kernel.ts";
import { checkLength } from "../gradients.ts";
import { pieces } from "../pieces.ts";
import type { NewerRows } from "../port.ts";
import { needVersions } from "../refusals.ts";
import type { Staging } from "./staging.ts";

/** `ParameterTable.pull`. */
export function pullRows(
  kernel: Kernel,
  { ids: stagedIds, values, rowVersions, dimension, stagedRows, versions: kept }: Staging,
  ids: BigUint64Array,
  out: Float32Array,
  versions?: Uint32Array,
): void {
  checkLength(out.length, ids.length * dimension, "the output of a pull");
  if (versions !== undefined) {
    needVersions(kept);
    checkLength(versions.length, ids.length, "the versions of a pull");
  }
  for (const { from, to } of pieces(ids.length, stagedRows)) {
    stagedIds.set(ids.subarray(from, to));
    kernel.pull(to - from);
    out.set(values.subarray(0, (to - from) * dimension), from * dimension);
    versions?.set(rowVersions.subarray(0, to - from), from);
  }
}

/** `ParameterTable.pullNewer`. */
export function newerRows(
  kernel: Kernel,
  { ids: stagedIds, values, rowVersions, found, dimension, stagedRows, ...rest }: Staging,
  ids: BigUint64Array,
  since: number,
): NewerRows {
  needVersions(rest.versions);
  const positions = new Uint32Array(ids.length);
  const newer = new Float32Array(ids.length * dimension);
  const versions = new Uint32Array(ids.length);
  let count = 0;
  for (const { from, to } of pieces(ids.length, stagedRows)) {
    stagedIds.set(ids.subarray(from, to));
    const some = kernel.pullNewer(to - from, since);
    newer.set(values.subarray(0, some * dimension), count * dimension);
    versions.set(rowVersions.subarray(0, some), count);
    for (let i = 0; i < some; i++) positions[count++] = from + (found[i] as number);
  }
  return {
    positions: positions.slice(0, count),
    values: newer.slice(0, count * dimension),
    versions: versions.slice(0, count),
  };
}
