import type { TableRows } from "../../port.ts";
import type { StagingShape } from "../staging.ts";

/** Copies of rows, taken and given in pieces. */
export interface RowCopies {
  /** All places, those that are not yet taken too. */
  readonly all: TableRows;
  /** Rows that are there. */
  readonly count: number;
  /** Rows that fit. */
  readonly capacity: number;
  /** Appends `count` rows of `from`, the first at `at`. */
  append(from: TableRows, at: number, count: number): void;
  /** The rows that are there; append no more then. */
  rows(): TableRows;
}

/** @param capacity in rows. */
export function createRowCopies(
  { dimension, slotWidth, versions }: Omit<StagingShape, "stagedRows">,
  capacity: number,
): RowCopies {
  const ids = new BigUint64Array(capacity);
  const values = new Float32Array(capacity * dimension);
  const slots = new Float32Array(capacity * slotWidth);
  const rowVersions = new Uint32Array(versions ? capacity : 0);
  const all = { ids, values, slots, ...(versions ? { versions: rowVersions } : {}) };
  let count = 0;
  return {
    all,
    capacity,
    get count() {
      return count;
    },
    append: (from, at, more) => {
      const to = at + more;
      ids.set(from.ids.subarray(at, to), count);
      values.set(from.values.subarray(at * dimension, to * dimension), count * dimension);
      slots.set(from.slots.subarray(at * slotWidth, to * slotWidth), count * slotWidth);
      if (versions) rowVersions.set(from.versions?.subarray(at, to) ?? [], count);
      count += more;
    },
    rows: () =>
      count === capacity
        ? all
        : {
            ids: ids.slice(0, count),
            values: values.slice(0, count * dimension),
            slots: slots.slice(0, count * slotWidth),
            ...(versions ? { versions: rowVersions.slice(0, count) } : {}),
          },
  };
}

/** Copies of rows of which those that came first go first; memory follows what is there. */
export interface RowQueue {
  /** Memory held, in bytes. */
  readonly bytes: number;
  readonly empty: boolean;
  /** Takes the first `count` rows of `from`. */
  add(from: TableRows, count: number): void;
  /** Moves as many rows as fit to `out`. */
  moveTo(out: RowCopies): void;
}

export function createRowQueue(shape: StagingShape): RowQueue {
  const pages: RowCopies[] = [];
  const { dimension, slotWidth, stagedRows } = shape;
  const pageBytes = stagedRows * (8 + 4 * (dimension + slotWidth) + (shape.versions ? 4 : 0));
  /** Rows of the first page that went already. */
  let gone = 0;
  return {
    get bytes() {
      return pages.length * pageBytes;
    },
    get empty() {
      return pages.length === 0;
    },
    add: (from, count) => {
      for (let at = 0; at < count;) {
        let page = pages.at(-1);
        if (page === undefined || page.count === page.capacity) {
          page = createRowCopies(shape, stagedRows);
          pages.push(page);
        }
        const some = Math.min(count - at, page.capacity - page.count);
        page.append(from, at, some);
        at += some;
      }
    },
    moveTo: (out) => {
      for (let page = pages[0]; page !== undefined && out.count < out.capacity; page = pages[0]) {
        const some = Math.min(page.count - gone, out.capacity - out.count);
        out.append(page.all, gone, some);
        gone += some;
        if (gone < page.count) return;
        pages.shift();
        gone = 0;
      }
    },
  };
}
