import { countSpec } from "./push/counts.ts";
import { createCut } from "./snapshot/cut.ts";
import { openKernel } from "./kernel.ts";
import { aTable, openLoading } from "./snapshot/loading.ts";
import { stagedRowsOf } from "../pieces.ts";
import type { TableSpec } from "../port.ts";
import { newerRows, pullRows } from "./pull.ts";
import { openPushClock } from "./push/push-clock.ts";
import { openPushes } from "./push/pushes.ts";
import { checkSpec, needVersions, noMemory } from "../refusals.ts";
import { openRoom } from "./push/room.ts";
import { snapshotOf } from "./snapshot/snapshot.ts";
import { setOptimizer, slotsOfRow } from "./table-optimizer.ts";
import { stagingOf } from "./staging.ts";
import { pagesMax } from "../wasm.ts";
import type { InstanceMemory, Part } from "./part.ts";

/**
 * Rows in a WebAssembly memory of their own, which ends at 4 GiB. Calls go through a small staging area, piece by piece, so that
 * what they carry stays in the cache and takes no memory.
 *
 * @param removes rows by `remove`.
 * @throws {HeddleError} RESOURCE_EXHAUSTED TABLE_FULL when there is no memory for an empty one; FAILED_PRECONDITION NO_VERSIONS.
 */
export function createPart(
  spec: TableSpec,
  memory: InstanceMemory = { pages: pagesMax },
  removes = false,
): Part {
  const { rowsMax } = spec;
  checkSpec(spec);
  const { kernel, staging } = openRows(spec, memory.pages, removes);
  const { slotWidth } = staging();
  const cut = createCut(kernel, staging, memory.pages);
  const clock = openPushClock(kernel);
  const room = openRoom(kernel, staging, clock, { rowsMax, ...memory });
  const counts = countsOf(spec, memory);
  const parts = { kernel, staging, cut, clock, room, counts };
  const pushes = openPushes(spec, parts);
  const { prepare, remove, admitted, checkVersion } = pushes;

  return {
    spec,
    slotsOfRow: slotWidth,
    ...room,
    ...{ prepare, remove, admitted, checkVersion },
    ...(counts && { counts }),
    get rows() {
      return kernel.rows.value >>> 0;
    },
    get bytes() {
      return (kernel.usedBytes() >>> 0) + cut.bytes + (counts?.bytes ?? 0);
    },
    get turnover() {
      return { refused: pushes.refused, expired: kernel.expired.value >>> 0 };
    },
    pull: (ids, out, versions) => pullRows(kernel, staging(), ids, out, versions),
    pullBefore: (version, ids, out) =>
      clock.before(version, () => pullRows(kernel, staging(), ids, out)),
    pullNewer: (ids, version) => newerRows(kernel, staging(), ids, version),
    push: (ids, gradients, version) => prepare(ids, gradients, aTable, version)(),
    snapshot: () => snapshotOf(kernel, staging()),
    changedSince: (version) => {
      needVersions(spec.versions);
      return snapshotOf(kernel, staging(), version);
    },
    freeze: (since) => {
      if (since !== undefined) needVersions(spec.versions);
      return cut.freeze(since);
    },
    ...openLoading(spec, { ...parts, memory, changed: pushes.changed }),
    advance: (version) => {
      clock.set(Math.max(clock.newest, version));
      counts?.advance(version);
    },
    sweep: () => {
      kernel.sweepAll();
      counts?.sweep();
    },
  };
}

function countsOf(spec: TableSpec, memory: InstanceMemory): Part | undefined {
  const counted = countSpec(spec);
  return counted && createPart(counted, memory, true);
}

function openRows(spec: TableSpec, pages: number, removes: boolean) {
  const { dimension, optimizer, versions = false, storage, seed, initialDeviation } = spec;
  const slotWidth = slotsOfRow(optimizer, dimension);
  const stagedRows = stagedRowsOf(dimension);
  const kernel = openKernel(pages);
  const halves = storage === "bfloat16";
  if (!kernel.configure(dimension, slotWidth, stagedRows, versions, halves)) {
    throw noMemory(0, pages);
  }
  setOptimizer(kernel, optimizer);
  kernel.setDraw(seed, initialDeviation);
  kernel.setLife(removes || spec.expiry !== undefined, spec.expiry?.steps ?? 0);
  const staging = stagingOf(kernel, { dimension, slotWidth, stagedRows, versions });
  return { kernel, staging };
}
