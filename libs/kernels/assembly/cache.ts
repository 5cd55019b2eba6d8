// Rows by id that are kept while they are young, in a fixed memory of their own. A row lies in one of the four cells of the set that its
// id's hash names. The caller stages ids and rows, calls, and reads what is staged.
import { copy } from "./copy";

const ways: u32 = 4;
/** Lower halves of the ids of a set's cells, upper halves, states: 16 bytes each, so that one vector compares all four. */
const highAt: u32 = 16;
const stateAt: u32 = 32;
/** A line of the processor's cache. */
const setBytes: u32 = 64;
const pageBytes: u64 = 65_536;

/** What is staged: shape [staged rows] of u64; of u32; [staged rows, row]. */
export let idsAt: usize = 0;
export let foundAt: usize = 0;
export let rowsAt: usize = 0;
/** The oldest state, one up, among what the last `take` found; the largest u32 where it found nothing. */
export let oldest: u32 = u32.MAX_VALUE;

let rowBytes: u32 = 0;
let setMask: u32 = 0;
let setsAt: usize = 0;
let cellsAt: usize = 0;
/** Keeps the compiler from leaving out reads of which nothing is made. */
let sink: u32 = 0;

/** Call it once, before all else. @param sets a power of two. @returns false when there is no memory. */
export function configure(bytesOfRow: u32, stagedRows: u32, sets: u32): bool {
  rowBytes = bytesOfRow;
  setMask = sets - 1;
  foundAt = idsAt + ((<usize>stagedRows) << 3);
  rowsAt = foundAt + ((<usize>stagedRows) << 2);
  setsAt = (rowsAt + <usize>stagedRows * bytesOfRow + (setBytes - 1)) & ~(<usize>setBytes - 1);
  cellsAt = setsAt + <usize>sets * setBytes;
  const end = <u64>cellsAt + <u64>sets * ways * bytesOfRow;
  const pages = <i32>((end + pageBytes - 1) / pageBytes) - memory.size();
  return pages <= 0 || memory.grow(pages) >= 0;
}

export function clear(): void {
  memory.fill(setsAt, 0, cellsAt - setsAt);
}

/**
 * Stages the rows of those staged ids whose state is `since` or later, one behind the other, and in `found` their positions.
 *
 * @returns how many.
 */
export function take(count: u32, since: u32): u32 {
  locate(count);
  let staged: u32 = 0;
  let first: u32 = u32.MAX_VALUE;
  for (let i: u32 = 0; i < count; i++) {
    const set = <usize>load<u32>(foundAt + ((<usize>i) << 2));
    const match = matchOf(set, i);
    if (match == 0) continue;
    const way = ctz<i32>(match);
    const state = load<u32>(set + stateAt + (way << 2));
    if (state <= since) continue;
    first = min(first, state);
    copy(cellOf(set, way), rowsAt + <usize>staged * rowBytes, rowBytes);
    // Never ahead of what is still to be read.
    store<u32>(foundAt + ((<usize>staged) << 2), i);
    staged++;
  }
  oldest = first;
  return staged;
}

/** Keeps the staged rows of the staged ids, which were read at `state`; each takes the place of its set's oldest. */
export function keep(count: u32, state: u32): void {
  locate(count);
  for (let i: u32 = 0; i < count; i++) {
    const set = <usize>load<u32>(foundAt + ((<usize>i) << 2));
    const match = matchOf(set, i);
    const way = match == 0 ? oldestOf(set) : ctz<i32>(match);
    const states = set + stateAt + (way << 2);
    // Of two answers the one that comes last may be the older one.
    if (match != 0 && load<u32>(states) > state) continue;
    const id = load<u64>(idsAt + ((<usize>i) << 3));
    store<u32>(set + (way << 2), <u32>id);
    store<u32>(set + highAt + (way << 2), <u32>(id >> 32));
    store<u32>(states, state + 1);
    copy(rowsAt + <usize>i * rowBytes, cellOf(set, way), rowBytes);
  }
}

/** Notes the set of each staged id, and reads of each: nothing waits for these reads, so that many are under way at a time. */
function locate(count: u32): void {
  const sets = setsAt;
  const mask = setMask;
  let sum: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const id = load<u64>(idsAt + ((<usize>i) << 3));
    const hash = <u32>((id * 0x9e3779b97f4a7c15) >> 32);
    const set = sets + <usize>(hash & mask) * setBytes;
    store<u32>(foundAt + ((<usize>i) << 2), <u32>set);
    sum += load<u32>(set);
  }
  sink = sum;
}

/** A bit for each way of the set: whether the staged id is there. */
function matchOf(set: usize, i: u32): i32 {
  const id = load<u64>(idsAt + ((<usize>i) << 3));
  const low = i32x4.eq(v128.load(set), i32x4.splat(<i32>id));
  const high = i32x4.eq(v128.load(set + highAt), i32x4.splat(<i32>(id >> 32)));
  // An empty cell has an id, too: 0.
  const there = i32x4.ne(v128.load(set + stateAt), i32x4.splat(0));
  return i32x4.bitmask(v128.and(v128.and(low, high), there));
}

function oldestOf(set: usize): i32 {
  let way: i32 = 0;
  let state = load<u32>(set + stateAt);
  for (let other: i32 = 1; other < <i32>ways; other++) {
    const theirs = load<u32>(set + stateAt + (other << 2));
    way = theirs < state ? other : way;
    state = min(state, theirs);
  }
  return way;
}

function cellOf(set: usize, way: i32): usize {
  const cell = <u32>((set - setsAt) / setBytes) * ways + <u32>way;
  return cellsAt + <usize>cell * rowBytes;
}
