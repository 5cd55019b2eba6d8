import { halvesOf, hashId, tableSize } from "./ids.ts";

/** Numbers ids 0, 1, 2, … in the order they are added. */
export interface IdIndex {
  readonly rows: number;
  /** Memory held, in bytes. */
  readonly bytes: number;
  /** The number of an id, or −1. */
  find(low: number, high: number): number;
  findOrAdd(low: number, high: number): number;
  /** Adds those that are not there yet, and pauses now and then, so that others on the thread have their turn. */
  addAll(ids: BigUint64Array): Generator<void>;
  /** Writes the number of each id, or −1; returns how many are −1. */
  findAll(ids: BigUint64Array, out: Int32Array): number;
  /**
   * Writes all ids, in the order of their numbers, and pauses as `addAll` does. Nothing is added meanwhile.
   *
   * @param out shape [rows].
   */
  copyIds(out: BigUint64Array): Generator<void>;
}

/** Looked at between two pauses: a fifth of a millisecond. */
const slotsMax = 1 << 15;
/** Added between two pauses: half a millisecond, for each of them goes to memory that is in no cache. */
const addedMax = 1 << 12;

/** Open addressing with linear probes; a slot is (lower half, upper half, number + 1), so that any id is legal and one probe reads one cache line. */
export function createIndex(expectedRows: number): IdIndex {
  let size = tableSize(expectedRows);
  let slots = new Uint32Array(size * 3);
  let rows = 0;

  /** Where the id is, or where it would go. */
  const probe = (low: number, high: number): number => {
    const mask = size - 1;
    let slot = hashId(low, high) & mask;
    for (;;) {
      const at = slot * 3;
      if (slots[at + 2] === 0 || (slots[at] === low && slots[at + 1] === high)) return at;
      slot = (slot + 1) & mask;
    }
  };

  const write = (at: number, low: number, high: number, number: number): void => {
    slots[at] = low;
    slots[at + 1] = high;
    slots[at + 2] = number + 1;
  };

  const grow = (): void => {
    const old = slots;
    size *= 2;
    slots = new Uint32Array(size * 3);
    for (let at = 0; at < old.length; at += 3) {
      const number = (old[at + 2] as number) - 1;
      if (number < 0) continue;
      const low = old[at] as number;
      const high = old[at + 1] as number;
      write(probe(low, high), low, high, number);
    }
  };

  const find = (low: number, high: number): number => (slots[probe(low, high) + 2] as number) - 1;
  const findOrAdd = (low: number, high: number): number => {
    const known = find(low, high);
    if (known >= 0) return known;
    if ((rows + 1) * 2 > size) grow();
    write(probe(low, high), low, high, rows);
    return rows++;
  };

  return {
    get rows() {
      return rows;
    },
    get bytes() {
      return slots.byteLength;
    },
    find,
    findOrAdd,
    *addAll(ids) {
      const halves = halvesOf(ids);
      for (let i = 0; i < ids.length; i++) {
        if (i > 0 && i % addedMax === 0) yield;
        findOrAdd(halves[2 * i] as number, halves[2 * i + 1] as number);
      }
    },
    findAll: (ids, out) => {
      const halves = halvesOf(ids);
      let missing = 0;
      for (let i = 0; i < ids.length; i++) {
        const row = find(halves[2 * i] as number, halves[2 * i + 1] as number);
        out[i] = row;
        if (row < 0) missing += 1;
      }
      return missing;
    },
    copyIds: (out) => copyIds(slots, out),
  };
}

function* copyIds(slots: Uint32Array, out: BigUint64Array): Generator<void> {
  const halves = halvesOf(out);
  for (let at = 0; at < slots.length; at += 3) {
    if (at > 0 && at % (3 * slotsMax) === 0) yield;
    const number = (slots[at + 2] as number) - 1;
    if (number < 0) continue;
    halves[2 * number] = slots[at] as number;
    halves[2 * number + 1] = slots[at + 1] as number;
  }
}
