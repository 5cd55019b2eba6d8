import { drawRow } from "./draw.ts";
import { type Kernel, openKernel } from "./kernel.ts";
import { checkLength, gradientMax, notFinite } from "./optimizer.ts";
import type { ParameterTable, TableRows, TableSpec } from "./port.ts";
import { checkRows, noMemory, refuseBeyond } from "./refusals.ts";
import { setOptimizer, slotsOfRow } from "./table-optimizer.ts";
import { type Staging, stagingOf } from "./staging.ts";
import { pagesMax } from "./wasm.ts";

/**
 * A table in a WebAssembly memory of its own, which ends at 4 GiB. Calls go through a small staging area, piece by piece, so that
 * what they carry stays in the cache and takes no memory.
 *
 * @param memory limit of the table's memory, in pages of 64 KiB.
 * @throws {HeddleError} RESOURCE_EXHAUSTED TABLE_FULL when there is no memory for an empty one.
 */
export function createTable(
  spec: TableSpec,
  memory: { readonly pages: number } = { pages: pagesMax },
): ParameterTable {
  const { dimension, optimizer, rowsMax } = spec;
  const slotWidth = slotsOfRow(optimizer, dimension);
  const stagedRows = Math.max(1, Math.min(stagedRowsMax, Math.floor(stagedValuesMax / dimension)));
  const kernel = openKernel((low, high, address) => {
    drawRow(spec, low >>> 0, high >>> 0, staging().all, (address >>> 0) / 4);
  }, memory.pages);
  if (!kernel.configure(dimension, slotWidth, stagedRows)) throw noMemory(0, memory.pages);
  setOptimizer(kernel, optimizer);
  const staging = stagingOf(kernel, { dimension, slotWidth, stagedRows });
  const rows = (): number => kernel.rows.value >>> 0;

  /** Counts the new rows of a push only when all its ids might not fit. */
  const makeRoom = (ids: BigUint64Array, what: string): void => {
    if (rows() + ids.length <= rowsMax && kernel.hasRoom(ids.length)) return;
    let missing = 0;
    for (const { from, to } of pieces(ids.length, stagedRows)) {
      staging().ids.set(ids.subarray(from, to));
      missing += kernel.countMissing(to - from);
    }
    refuseBeyond(rows() + missing, rowsMax, what);
    if (!kernel.reserve(missing)) throw noMemory(rows() + missing, memory.pages);
  };

  const prepare: ParameterTable["prepare"] = (ids, gradients, what) => {
    checkLength(gradients.length, ids.length * dimension, `the gradients of ${what}`);
    checkFinite(kernel, staging(), gradients, what);
    makeRoom(ids, what);
    return () => {
      // The room may have been taken meanwhile; as long as it was not, this costs nothing.
      makeRoom(ids, what);
      const { ids: stagedIds, values } = staging();
      for (const { from, to } of pieces(ids.length, stagedRows)) {
        stagedIds.set(ids.subarray(from, to));
        values.set(gradients.subarray(from * dimension, to * dimension));
        kernel.push(to - from);
      }
    };
  };

  return {
    spec,
    get rows() {
      return rows();
    },
    get bytes() {
      return kernel.memory.buffer.byteLength;
    },
    pull: (ids, out) => {
      checkLength(out.length, ids.length * dimension, "the output of a pull");
      const { ids: stagedIds, values } = staging();
      for (const { from, to } of pieces(ids.length, stagedRows)) {
        stagedIds.set(ids.subarray(from, to));
        kernel.pull(to - from);
        out.set(values.subarray(0, (to - from) * dimension), from * dimension);
      }
    },
    push: (ids, gradients) => prepare(ids, gradients, aTable)(),
    prepare,
    snapshot: () => snapshotOf(kernel, staging(), rows()),
    restore: (saved) => {
      checkRows(saved, dimension, slotWidth);
      refuseBeyond(saved.ids.length, rowsMax, aTable);
      if (!kernel.clear(saved.ids.length)) throw noMemory(saved.ids.length, memory.pages);
      writeRows(kernel, staging(), saved);
    },
  };
}

/** For messages, where nobody said which. */
const aTable = "a table";
/** 32 KiB of values, the size of a first-level cache; for narrow rows no more ids than that. */
const stagedValuesMax = 8_192;
const stagedRowsMax = 2_048;

/** Before anything is applied: a push that does not fit one piece is staged twice. */
function checkFinite(
  kernel: Kernel,
  { values, dimension, stagedRows }: Staging,
  gradients: Float32Array,
  what: string,
): void {
  for (const { from, to } of pieces(gradients.length, stagedRows * dimension)) {
    values.set(gradients.subarray(from, to));
    const at = from + kernel.firstBad(to - from, gradientMax);
    if (at < to) throw notFinite(at, gradients[at] as number, what);
  }
}

function snapshotOf(kernel: Kernel, staging: Staging, rows: number): TableRows {
  const { dimension, slotWidth, stagedRows } = staging;
  const ids = new BigUint64Array(rows);
  kernel.startWalk();
  for (const { from, to } of pieces(rows, stagedRows)) {
    kernel.nextIds(to - from);
    ids.set(staging.ids.subarray(0, to - from), from);
  }
  ids.sort();
  const values = new Float32Array(rows * dimension);
  const slots = new Float32Array(rows * slotWidth);
  for (const { from, to } of pieces(rows, stagedRows)) {
    staging.ids.set(ids.subarray(from, to));
    kernel.read(to - from);
    values.set(staging.values.subarray(0, (to - from) * dimension), from * dimension);
    slots.set(staging.slots.subarray(0, (to - from) * slotWidth), from * slotWidth);
  }
  return { ids, values, slots };
}

function writeRows(kernel: Kernel, staging: Staging, saved: TableRows): void {
  const { dimension, slotWidth, stagedRows } = staging;
  for (const { from, to } of pieces(saved.ids.length, stagedRows)) {
    staging.ids.set(saved.ids.subarray(from, to));
    staging.values.set(saved.values.subarray(from * dimension, to * dimension));
    staging.slots.set(saved.slots.subarray(from * slotWidth, to * slotWidth));
    kernel.write(to - from);
  }
}

function* pieces(
  count: number,
  size: number,
): Generator<{ readonly from: number; readonly to: number }> {
  for (let from = 0; from < count; from += size) yield { from, to: Math.min(from + size, count) };
}
