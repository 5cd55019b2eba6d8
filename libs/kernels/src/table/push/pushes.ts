import { admitted, type Admitted, gradientsOf } from "./admission.ts";
import { countUp } from "./counts.ts";
import type { Cut } from "../snapshot/cut.ts";
import { checkLength, gradientMax, notFinite } from "../../gradients.ts";
import type { Kernel } from "../kernel.ts";
import type { Part } from "../part.ts";
import { pieces } from "../../pieces.ts";
import type { ParameterTable, TableSpec } from "../../port.ts";
import type { PushClock } from "./push-clock.ts";
import { checkVersion } from "../../refusals.ts";
import type { Staging } from "../staging.ts";

/** What a push works with. */
export interface PushDeps {
  readonly kernel: Kernel;
  readonly staging: () => Staging;
  readonly cut: Cut;
  readonly clock: PushClock;
  readonly room: Pick<Part, "makeRoom">;
  /** With an admission by count. */
  readonly counts: Part | undefined;
}

/** How the rows of a part change. */
export interface Pushes extends Pick<Part, "prepare" | "admitted" | "checkVersion" | "remove"> {
  /** Rows of gradients dropped. */
  readonly refused: number;
  /** Rows came or went otherwise: what was prepared is looked at again. */
  changed(): void;
}

export function openPushes(spec: TableSpec, deps: PushDeps): Pushes {
  const { kernel, staging, cut, clock, room, counts } = deps;
  const { dimension } = spec;
  /** Calls that may have changed which rows there are. */
  let changes = 0;
  let refused = 0;

  const admittedOf = (ids: BigUint64Array, version = 0): Admitted =>
    admitted(spec, ids, version, {
      rows: () => clock.before(version, () => knownOf(kernel, staging(), ids)),
      counts: (unknown) => {
        const out = new Float32Array(unknown.length);
        counts?.pullBefore(version, unknown, out);
        return out;
      },
    });
  /** What a push will do, for which there is room then. */
  const plan = (ids: BigUint64Array, what: string, version: number | undefined) => {
    const { own, counted = none, made = none } = admittedOf(ids, version);
    const places = room.makeRoom(own?.ids ?? ids, what, version);
    const count = counts?.prepare(counted, countUp(counted), `the counts of ${what}`, version);
    return { own, made, places, count, changes };
  };
  const checkNext = (version: number | undefined): void =>
    checkVersion(version, clock.newest, spec);

  const prepare: ParameterTable["prepare"] = (ids, gradients, what, version) => {
    checkLength(gradients.length, ids.length * dimension, `the gradients of ${what}`);
    checkNext(version);
    checkFinite(kernel, staging(), gradients, what);
    let planned = plan(ids, what, version);
    return () => {
      // Meanwhile other rows may have come, or a cut have taken the room.
      if (planned.changes !== changes || !kernel.hasRoom(planned.places)) {
        planned = plan(ids, what, version);
      }
      const { own, made, count } = planned;
      const ownIds = own?.ids ?? ids;
      changes += 1;
      refused += ids.length - ownIds.length;
      cut.beforeChange(ownIds);
      const applied = version ?? clock.newest;
      clock.set(Math.max(clock.newest, applied - 1));
      const ownGradients = own ? gradientsOf(own, gradients, dimension) : gradients;
      applyAll(kernel, staging(), ownIds, ownGradients, applied);
      clock.set(applied);
      count?.();
      counts?.remove(made);
    };
  };
  return {
    prepare,
    admitted: admittedOf,
    checkVersion: checkNext,
    get refused() {
      return refused;
    },
    changed: () => {
      changes += 1;
    },
    remove: (ids) => {
      const { ids: stagedIds, stagedRows } = staging();
      changes += 1;
      cut.beforeChange(ids);
      for (const { from, to } of pieces(ids.length, stagedRows)) {
        stagedIds.set(ids.subarray(from, to));
        kernel.remove(to - from);
      }
    },
  };
}

const none = new BigUint64Array();

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
    kernel.countAbsent(to - from);
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
