import { present } from "@heddle/base";
import { gatherRows } from "../../batch/batch.ts";
import { checkGradients, checkLength } from "../../gradients.ts";
import { type ShardIds, splitById } from "../../ids/shards.ts";
import { mergeRows } from "./merge-rows.ts";
import type { Part } from "../part.ts";
import type { FrozenView, ParameterTable } from "../../port.ts";
import { checkRows, refuseBeyond } from "../../refusals.ts";
import { each, newerOfAll, pullFromAll, rowsAt, sum } from "./split-rows.ts";

/**
 * One table over several instances: each has the rows whose id's hash says so. Nothing that it gives depends on how many there are,
 * but for the order of a frozen view. A restore that fails for want of memory leaves it without some of its rows.
 *
 * @param parts at least one, alike and empty.
 */
export function createSplitTable(parts: readonly Part[]): ParameterTable {
  const { spec, slotsOfRow } = present(parts[0], "a first instance");
  const { dimension, rowsMax } = spec;
  const split = (ids: BigUint64Array): readonly ShardIds[] => splitById(ids, parts.length);
  const prepare = prepareAll(parts, split);
  const countParts = parts.flatMap(({ counts }) => counts ?? []);
  const counts = countParts.length > 0 ? createSplitTable(countParts) : undefined;
  const merge = (of: (part: Part) => ReturnType<Part["snapshot"]>) =>
    mergeRows(parts.map(of), dimension, slotsOfRow);
  return {
    spec,
    slotsOfRow,
    ...(counts && { counts }),
    get turnover() {
      const all = parts.map(({ turnover }) => turnover);
      return {
        refused: sum(all.map(({ refused }) => refused)),
        expired: sum(all.map(({ expired }) => expired)),
      };
    },
    get rows() {
      return sum(parts.map((part) => part.rows));
    },
    get bytes() {
      return sum(parts.map((part) => part.bytes));
    },
    pull: (ids, out, versions) => {
      checkLength(out.length, ids.length * dimension, "the output of a pull");
      if (versions !== undefined) {
        checkLength(versions.length, ids.length, "the versions of a pull");
      }
      pullFromAll(parts, split(ids), out, versions);
    },
    pullNewer: (ids, version) => newerOfAll(parts, split(ids), version),
    push: (ids, gradients, version) => prepare(ids, gradients, "a table", version)(),
    prepare,
    snapshot: () => merge((part) => part.snapshot()),
    changedSince: (version) => merge((part) => part.changedSince(version)),
    freeze: (since) => freezeAll(parts, since),
    restore: (saved) => {
      checkRows(saved, dimension, slotsOfRow);
      refuseBeyond(saved.ids.length, rowsMax, "a table");
      each(parts, split(saved.ids), (part, own) =>
        part.restore(rowsAt(saved, own, spec, slotsOfRow)),
      );
    },
    load: (more, expected = 0) => {
      checkRows(more, dimension, slotsOfRow);
      const owned = split(more.ids);
      makeRoomInAll(parts, owned, "a table");
      each(parts, owned, (part, own) =>
        part.load(rowsAt(more, own, spec, slotsOfRow), Math.ceil(expected / parts.length)),
      );
    },
    advance: (version) => {
      for (const part of parts) part.advance(version);
    },
    sweep: () => {
      for (const part of parts) part.sweep();
    },
  };
}

/** `ParameterTable.prepare`: all instances take a push, or none does. */
function prepareAll(
  parts: readonly Part[],
  split: (ids: BigUint64Array) => readonly ShardIds[],
): ParameterTable["prepare"] {
  const { dimension } = present(parts[0], "a first instance").spec;
  return (ids, gradients, what, version) => {
    checkLength(gradients.length, ids.length * dimension, `the gradients of ${what}`);
    checkGradients(gradients, what);
    const whole = split(ids);
    for (const part of parts) part.checkVersion(version);
    const makeRoom = (): void => {
      const found = each(parts, whole, (part, { ids: own }) => part.admitted(own, version));
      const applied = found.map(({ own }, i) => own ?? present(whole[i], "an instance's ids"));
      makeRoomInAll(parts, applied, what, version);
      const counted = found.map(({ counted: some = new BigUint64Array() }) => ({ ids: some }));
      const counts = parts.flatMap((part) => part.counts ?? []);
      if (counts.length > 0) makeRoomInAll(counts, counted, `the counts of ${what}`, version);
    };
    makeRoom();
    // Those without ids, too, for each must know the newest version.
    const pushes = each(parts, whole, (part, { ids: ownIds, positions }) => {
      const own = new Float32Array(ownIds.length * dimension);
      gatherRows(gradients, dimension, positions, own);
      return part.prepare(ownIds, own, what, version);
    });
    return () => {
      makeRoom();
      for (const push of pushes) push();
    };
  };
}

function makeRoomInAll(
  parts: readonly Part[],
  owned: readonly Pick<ShardIds, "ids">[],
  what: string,
  version = 0,
): void {
  const rows = sum(parts.map((part) => part.rows));
  const rowsMax = present(parts[0], "a first instance").spec.rowsMax;
  if (rows + sum(owned.map(({ ids }) => ids.length)) > rowsMax) {
    const all = each(parts, owned, (part, own) => part.rowsWith(own.ids, version));
    refuseBeyond(sum(all), rowsMax, what);
  }
  each(parts, owned, (part, own) => part.makeRoom(own.ids, what, version));
}

/** One view after the other. */
function freezeAll(parts: readonly Part[], since: number | undefined): FrozenView {
  const views: FrozenView[] = [];
  const release = (): void => {
    for (const view of views) view.release();
  };
  try {
    for (const part of parts) views.push(part.freeze(since));
  } catch (error) {
    release();
    throw error;
  }
  return {
    next: (bytesMax) => {
      for (const view of views) {
        const rows = view.next(bytesMax);
        if (rows !== undefined) return rows;
      }
      return undefined;
    },
    release,
  };
}
