import { admitted, gradientsOf } from "./admission.ts";
import { createCut } from "./cut.ts";
import { type Kernel, openKernel } from "./kernel.ts";
import { checkLength, gradientMax, notFinite } from "./gradients.ts";
import type { ShardIds } from "./ids.ts";
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
import { openRoom } from "./room.ts";
import { snapshotOf, writeRows } from "./snapshot.ts";
import { setOptimizer, slotsOfRow } from "./table-optimizer.ts";
import { type Staging, stagingOf } from "./staging.ts";
import { pagesMax } from "./wasm.ts";

/** What an instance may take. */
export interface InstanceMemory {
  /** Of 64 KiB. */
  readonly pages: number;
}

/** A table, or the rows of one that go to one instance. */
export interface Part extends ParameterTable {
  /** How many of the ids have no row. */
  countMissing(ids: BigUint64Array): number;
  /** The ids of a push with that version whose gradients are applied; undefined where all are. */
  admitted(ids: BigUint64Array, version?: number): ShardIds | undefined;
  /**
   * Makes room for rows of these ids.
   *
   * @returns for how many there is room: as many as are missing, or more.
   * @throws {HeddleError} RESOURCE_EXHAUSTED TABLE_FULL.
   */
  makeRoom(ids: BigUint64Array, what: string): number;
}

/**
 * Rows in a WebAssembly memory of their own, which ends at 4 GiB. Calls go through a small staging area, piece by piece, so that
 * what they carry stays in the cache and takes no memory.
 *
 * @throws {HeddleError} RESOURCE_EXHAUSTED TABLE_FULL when there is no memory for an empty one.
 */
export function createPart(spec: TableSpec, memory: InstanceMemory = { pages: pagesMax }): Part {
  const { dimension, rowsMax } = spec;
  const { kernel, staging } = openRows(spec, memory.pages);
  const { slotWidth } = staging();
  const cut = createCut(kernel, staging, memory.pages);
  const { countMissing, makeRoom } = openRoom(kernel, staging, { rowsMax, ...memory });
  let newest = 0;
  /** Calls that may have changed which rows there are. */
  let changes = 0;
  const rows = (): number => kernel.rows.value >>> 0;

  const admittedOf = (ids: BigUint64Array, version = 0): ShardIds | undefined =>
    admitted(spec, ids, version, () => knownOf(kernel, staging(), ids));

  const prepare: ParameterTable["prepare"] = (ids, gradients, what, version) => {
    checkLength(gradients.length, ids.length * dimension, `the gradients of ${what}`);
    checkVersion(version, newest, spec);
    checkFinite(kernel, staging(), gradients, what);
    const admittedIds = admittedOf(ids, version);
    const ownIds = admittedIds?.ids ?? ids;
    const room = makeRoom(ownIds, what);
    const prepared = changes;
    return () => {
      // Meanwhile other rows may have come, or a cut have taken the room.
      if (changes !== prepared || !kernel.hasRoom(room)) makeRoom(ownIds, what);
      changes += 1;
      newest = version ?? newest;
      cut.beforeChange(ownIds);
      const own = admittedIds ? gradientsOf(admittedIds, gradients, dimension) : gradients;
      applyAll(kernel, staging(), ownIds, own, newest);
    };
  };

  return {
    spec,
    slotsOfRow: slotWidth,
    countMissing,
    makeRoom,
    admitted: admittedOf,
    get rows() {
      return rows();
    },
    get bytes() {
      return (kernel.usedBytes() >>> 0) + cut.bytes;
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
      changes += 1;
      if (!kernel.clear(saved.ids.length)) throw noMemory(saved.ids.length, memory.pages);
      writeRows(kernel, staging(), saved);
      newest = newestOf(saved);
    },
    load: (more, expected = 0) => {
      refuseFrozen(cut.frozen, "rows were to be loaded");
      checkRows(more, dimension, slotWidth);
      changes += 1;
      if (rows() < expected && expected <= rowsMax) kernel.reserve(expected - rows());
      makeRoom(more.ids, aTable);
      writeRows(kernel, staging(), more);
      newest = Math.max(newest, newestOf(more));
    },
  };
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
  const { dimension, optimizer, versions = false, storage, seed, initialDeviation } = spec;
  const slotWidth = slotsOfRow(optimizer, dimension);
  const stagedRows = Math.max(1, Math.min(stagedRowsMax, Math.floor(stagedValuesMax / dimension)));
  const kernel = openKernel(pages);
  const halves = storage === "bfloat16";
  if (!kernel.configure(dimension, slotWidth, stagedRows, versions, halves)) {
    throw noMemory(0, pages);
  }
  setOptimizer(kernel, optimizer);
  kernel.setDraw(seed, initialDeviation);
  const staging = stagingOf(kernel, { dimension, slotWidth, stagedRows, versions });
  return { kernel, staging };
}

function applyAll(
  kernel: Kernel,
  { ids: stagedIds, values, dimension, stagedRows }: Staging,
  ids: BigUint64Array,
  gradients: Float32Array,
  version: number,
): void {
  for (const { from, to } of pieces(ids.length, stagedRows)) {
    stagedIds.set(ids.subarray(from, to));
    values.set(gradients.subarray(from * dimension, to * dimension));
    kernel.push(to - from, version);
  }
}

/** Says for each id whether it has a row. */
function knownOf(
  kernel: Kernel,
  { ids: stagedIds, found, stagedRows }: Staging,
  ids: BigUint64Array,
): (at: number) => boolean {
  const records = new Uint32Array(ids.length);
  for (const { from, to } of pieces(ids.length, stagedRows)) {
    stagedIds.set(ids.subarray(from, to));
    kernel.countMissing(to - from);
    records.set(found.subarray(0, to - from), from);
  }
  return (at) => records[at] !== 0;
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
