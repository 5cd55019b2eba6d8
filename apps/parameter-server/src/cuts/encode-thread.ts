/** Sorts, compresses and checksums a cut's rows beside the shard's own thread; `encoder.ts` talks to it. */
import { parentPort } from "node:worker_threads";
import { encodeFile, sortedPieces, type TableState } from "@heddle/artifact";
import { assert, present } from "@heddle/base";
import type { Answer, Order } from "./encoder.ts";

const port = present(parentPort, "the thread that started this one");
let came = new Map<string, TableState[]>();
let file: Iterator<Uint8Array, undefined> | undefined;

const answer = (value: Answer): void => {
  // Its bytes are moved, not copied.
  const moved = value.bytes?.buffer;
  port.postMessage(value, moved instanceof ArrayBuffer ? [moved] : []);
};

port.on("message", (order: Order) => {
  switch (order.kind) {
    case "begin":
      came = new Map(order.tables.map(({ name }) => [name, []]));
      file = undefined;
      return;
    case "rows":
      present(came.get(order.table), "a table's rows").push(order.rows);
      return;
    case "encode": {
      const tables = order.tables.map((table) => {
        const rows = came.get(table.name) ?? [];
        return sortedPieces({ ...table, slotWidth: slotWidthOf(rows) }, rows);
      });
      file = encodeFile(order.part, tables, order.dense)[Symbol.iterator]();
      return answer({ rows: tables.reduce((sum, { rows }) => sum + rows, 0) });
    }
    case "next": {
      assert(file !== undefined, "a file is asked for before it is read");
      const next = file.next();
      if (next.done !== true) return answer({ bytes: Uint8Array.from(next.value) });
      came = new Map();
      return answer({});
    }
  }
});

/** Of an empty table it is not known, nor needed. */
function slotWidthOf(pieces: readonly TableState[]): number {
  const filled = pieces.find(({ ids }) => ids.length > 0);
  return filled === undefined ? 0 : filled.slots.length / filled.ids.length;
}
