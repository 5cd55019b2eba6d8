import { createCut } from "./cut.ts";
import { drawRow } from "./draw.ts";
import { type Kernel, openKernel } from "./kernel.ts";
import { checkLength, gradientMax, notFinite } from "./gradients.ts";
import { pieces } from "./pieces.ts";
import type { ParameterTable, TableRows, TableSpec } from "./port.ts";
import { newerRows, pullRows } from "./pull.ts";
import {
  checkRows,
  checkVersion,
  needVersions,
  noMemory,
  refuseBeyond,
  refuseFrozen,
} from "./refusals.ts";
import { snapshotOf, writeRows } from "./snapshot.ts";
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
  const { dimension, rowsMax } = spec;
  const { kernel, staging } = openRows(spec, memory.pages);
  const { slotWidth, stagedRows } = staging();
  const cut = createCut(kernel, staging, memory.pages);
  let newest = 0;
  const rows = (): number => kernel.rows.value >>> 0;

  const makeRoom = (ids: BigUint64Array, what: string): void => {
    if (rows() + ids.length <= rowsMax && kernel.hasRoom(ids.length)) return;
    const wanted = rows() + countMissing(kernel, staging(), ids);
    refuseBeyond(wanted, rowsMax, what);
    if (!kernel.reserve(wanted - rows())) throw noMemory(wanted, memory.pages);
  };

  const prepare: ParameterTable["prepare"] = (ids, gradients, what, version) => {
    checkLength(gradients.length, ids.length * dimension, `the gradients of ${what}`);
    checkVersion(version, newest, spec);
    checkFinite(kernel, staging(), gradients, what);
    makeRoom(ids, what);
    return () => {
      // The room may have been taken meanwhile; as long as it was not, this costs nothing.
      makeRoom(ids, what);
      newest = version ?? newest;
      cut.beforeChange(ids);
      const { ids: stagedIds, values } = staging();
      for (const { from, to } of pieces(ids.length, stagedRows)) {
        stagedIds.set(ids.subarray(from, to));
        values.set(gradients.subarray(from * dimension, to * dimension));
        kernel.push(to - from, newest);
      }
    };
  };

  return {
    spec,
    slotsOfRow: slotWidth,
    get rows() {
      return rows();
    },
    get bytes() {
      return kernel.memory.buffer.byteLength + cut.bytes;
    },
    pull: (ids, out, versions) => pullRows(kernel, staging(), ids, out, versions),
    pullNewer: (ids, version) => newerRows(kernel, staging(), ids, version),
    push: (ids, gradients, version) => prepare(ids, gradients, aTable, version)(),
    prepare,
    snapshot: () => snapshotOf(kernel, staging()),
    changedSince: (version) => changedRows(kernel, staging(), spec, version),
    freeze: (since) => {
      if (since !== undefined) needVersions(spec.versions);
      return cut.freeze(since);
    },
    restore: (saved) => {
      refuseFrozen(cut.frozen, "a restore was asked for");
      checkRows(saved, dimension, slotWidth);
      refuseBeyond(saved.ids.length, rowsMax, aTable);
      if (!kernel.clear(saved.ids.length)) throw noMemory(saved.ids.length, memory.pages);
      writeRows(kernel, staging(), saved);
      newest = newestOf(saved);
    },
    load: (more, expected = 0) => {
      refuseFrozen(cut.frozen, "rows were to be loaded");
      checkRows(more, dimension, slotWidth);
      if (rows() < expected && expected <= rowsMax) kernel.reserve(expected - rows());
      makeRoom(more.ids, aTable);
      writeRows(kernel, staging(), more);
      newest = Math.max(newest, newestOf(more));
    },
  };
}

/** Looks each up: only where all of them might not fit. */
function countMissing(kernel: Kernel, staging: Staging, ids: BigUint64Array): number {
  let missing = 0;
  for (const { from, to } of pieces(ids.length, staging.stagedRows)) {
    staging.ids.set(ids.subarray(from, to));
    missing += kernel.countMissing(to - from);
  }
  return missing;
}

function changedRows(
  kernel: Kernel,
  staging: Staging,
  { versions }: TableSpec,
  since: number,
): TableRows {
  needVersions(versions);
  return snapshotOf(kernel, staging, since);
}

const newestOf = ({ versions }: TableRows): number =>
  versions?.reduce((most, one) => Math.max(most, one), 0) ?? 0;

/** For messages, where nobody said which. */
const aTable = "a table";

/** 32 KiB of values, the size of a first-level cache; for narrow rows no more ids than that. */
const stagedValuesMax = 8_192;
const stagedRowsMax = 2_048;

function openRows(spec: TableSpec, pages: number) {
  const { dimension, optimizer, versions = false, storage } = spec;
  const slotWidth = slotsOfRow(optimizer, dimension);
  const stagedRows = Math.max(1, Math.min(stagedRowsMax, Math.floor(stagedValuesMax / dimension)));
  const kernel = openKernel((low, high, address) => {
    drawRow(spec, low >>> 0, high >>> 0, staging().all, (address >>> 0) / 4);
  }, pages);
  const halves = storage === "bfloat16";
  if (!kernel.configure(dimension, slotWidth, stagedRows, versions, halves)) {
    throw noMemory(0, pages);
  }
  setOptimizer(kernel, optimizer);
  const staging = stagingOf(kernel, { dimension, slotWidth, stagedRows, versions });
  return { kernel, staging };
}

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
