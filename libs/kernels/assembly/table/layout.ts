// Where things lie in a table's memory: [runs of rows][walks][staging][cells]. Nothing is allocated but cells.

/** Runs of rows, 8 bytes each; see rows.ts. */
export const runsAt: usize = 0;
const runsBytes: usize = 1024;
/** Walks over them, 8 bytes each. */
export const walksAt: usize = runsAt + runsBytes;
const walksBytes: usize = 64;

/** Values of a row. */
export let dimension: u32 = 0;
/** Optimiser slots of a row. */
export let slotWidth: u32 = 0;
/** Bytes of a row's values as they are staged, as a record has them, and of its slots. */
export let valueBytes: u32 = 0;
export let storedBytes: u32 = 0;
export let slotBytes: u32 = 0;
/**
 * A record is (id, values, slots), so that a row is one place in memory. In front of it stands the row's version, where the table
 * keeps them. A cell has the size of both.
 */
export let stride: u32 = 0;
export const idBytes: u32 = 8;
/** A record has its values as bfloat16. */
export let halves: bool = false;
/** Bytes of a version: 4, or 0 where the table keeps none. */
export let versionBytes: u32 = 0;

/** Staging: what a call takes and gives, for as many rows as the caller chose. */
export let idsAt: usize = 0;
/** Address of each row's record, or 0. */
export let foundAt: usize = 0;
export let valuesAt: usize = 0;
export let slotsAt: usize = 0;
export let versionsAt: usize = 0;
/** One row's values as float32, where records have them otherwise. */
export let rowAt: usize = 0;

/** The first record. */
export let cellsAt: usize = 0;
/** As many cells fit in 4 GiB. */
export let cellsMax: u32 = 0;

/** The last page is left out: its end has no 32-bit address. */
const addressMax: u64 = 0xffff0000;

/** @param stagedRows rows of one call. */
export function layOut(
  rowValues: u32,
  rowSlots: u32,
  stagedRows: u32,
  versions: bool,
  inHalves: bool,
): void {
  dimension = rowValues;
  slotWidth = rowSlots;
  valueBytes = rowValues << 2;
  halves = inHalves;
  // Slots begin at a multiple of 4, as rows are copied by it.
  storedBytes = inHalves ? ((rowValues + 1) >> 1) << 2 : valueBytes;
  slotBytes = rowSlots << 2;
  versionBytes = versions ? 4 : 0;
  stride = versionBytes + idBytes + storedBytes + slotBytes;
  idsAt = walksAt + walksBytes;
  foundAt = idsAt + <usize>stagedRows * 8;
  valuesAt = aligned(foundAt + <usize>stagedRows * 4);
  slotsAt = aligned(valuesAt + <usize>stagedRows * valueBytes);
  versionsAt = aligned(slotsAt + <usize>stagedRows * slotBytes);
  rowAt = aligned(versionsAt + <usize>stagedRows * versionBytes);
  cellsAt = aligned(rowAt + (inHalves ? <usize>valueBytes : 0)) + versionBytes;
  cellsMax = <u32>((addressMax - cellsAt) / stride);
}

function aligned(address: usize): usize {
  return (address + 63) & ~63;
}

export function recordOf(cell: u32): usize {
  return cellsAt + <usize>cell * stride;
}

export function cellOf(record: usize): u32 {
  return <u32>((record - cellsAt) / stride);
}

/** Where an area that is no row begins in its first cell. */
export function areaOf(cell: u32): usize {
  return recordOf(cell) - versionBytes;
}

/** The push that changed a row last, or 0. */
export function versionOf(record: usize): u32 {
  return versionBytes == 0 ? 0 : load<u32>(record - versionBytes);
}

export function setVersion(record: usize, version: u32): void {
  if (versionBytes != 0) store<u32>(record - versionBytes, version);
}

/** Cells that hold so many bytes. */
export function cellsOf(bytes: u64): u32 {
  return <u32>((bytes + stride - 1) / stride);
}

/** True when memory reaches to the end of the first `cells` cells. */
export function reached(cells: u64): bool {
  return pagesFor(cells) <= <u64>memory.size();
}

/** Has memory reach there; false when it cannot. */
export function reach(cells: u64): bool {
  if (cells > cellsMax) return false;
  if (reached(cells)) return true;
  const held = memory.size();
  const pages = <i32>pagesFor(cells);
  // A little more keeps calls few and waste small.
  const generous = min(pages + (pages >> 8), <i32>(addressMax >> 16));
  return memory.grow(generous - held) >= 0 || memory.grow(pages - held) >= 0;
}

function pagesFor(cells: u64): u64 {
  return (cellsAt + cells * stride + 0xffff) >> 16;
}
