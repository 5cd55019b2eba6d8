import type { InstanceMemory, Part } from "../part.ts";
import type { TableRows, TableSpec } from "../../port.ts";
import type { PushDeps } from "../push/pushes.ts";
import { checkRows, noMemory, refuseBeyond, refuseFrozen } from "../../refusals.ts";
import { writeRows } from "./snapshot.ts";
import { slotsOfRow } from "../table-optimizer.ts";

/** For messages, where nobody said which. */
export const aTable = "a table";

interface LoadDeps extends PushDeps {
  readonly memory: InstanceMemory;
  /** Told before rows come or go. */
  readonly changed: () => void;
}

/** Rows of a snapshot come in. */
export function openLoading(
  { dimension, optimizer, rowsMax }: TableSpec,
  { kernel, staging, cut, clock, room, counts, memory, changed }: LoadDeps,
): Pick<Part, "restore" | "load"> {
  const slotWidth = slotsOfRow(optimizer, dimension);
  return {
    restore: (saved) => {
      refuseFrozen(cut.frozen, "a restore was asked for");
      checkRows(saved, dimension, slotWidth);
      refuseBeyond(saved.ids.length, rowsMax, aTable);
      counts?.restore(noRows);
      changed();
      if (!kernel.clear(saved.ids.length)) throw noMemory(saved.ids.length, memory.pages);
      writeRows(kernel, staging(), saved);
      clock.set(newestOf(saved));
    },
    load: (more, expected = 0) => {
      refuseFrozen(cut.frozen, "rows were to be loaded");
      checkRows(more, dimension, slotWidth);
      changed();
      const rows = kernel.rows.value >>> 0;
      if (rows < expected && expected <= rowsMax) kernel.reserve(expected - rows);
      room.makeRoom(more.ids, aTable);
      writeRows(kernel, staging(), more);
      clock.set(Math.max(clock.newest, newestOf(more)));
      // An id that has a row is counted no more.
      counts?.remove(more.ids);
    },
  };
}

const noRows: TableRows = {
  ids: new BigUint64Array(),
  values: new Float32Array(),
  slots: new Float32Array(),
};

const newestOf = ({ versions }: TableRows): number =>
  versions?.reduce((most, one) => Math.max(most, one), 0) ?? 0;
