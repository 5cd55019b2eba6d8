// Numbers distinct ids 0, 1, 2, … in the order in which they come. Open addressing with linear probes, 4 bytes a slot: a number plus one,
// and in the bits left over a tag from the id's hash; 0 is empty. Ids stand in the order of their numbers, behind the slots.

const slotsMin: u32 = 1024;
const pageBytes: u64 = 65_536;

/** What is staged: shape [staged ids] of u64, then of u32. */
export let stagedAt: usize = 0;
export let numbersAt: usize = 0;
/** All ids, in the order of their numbers. */
export let idsAt: usize = 0;
/** Distinct ids. */
export let count: u32 = 0;

let slotsAt: usize = 0;
let slotMask: u32 = 0;
/** Keeps the compiler from leaving out reads of which nothing is made. */
let sink: u32 = 0;

/** Forgets all ids. Call it before all else; always with the same number. @returns false when there is no memory. */
export function clear(staged: u32): bool {
  numbersAt = stagedAt + ((<usize>staged) << 3);
  slotsAt = numbersAt + ((<usize>staged) << 2);
  count = 0;
  return layOut(slotsMin);
}

/** Makes room for so many more ids. @returns false when there is no memory. */
export function reserve(more: u32): bool {
  const wanted = (<u64>count + more) << 1;
  let slots = <u64>slotMask + 1;
  if (wanted <= slots) return true;
  while (slots < wanted) slots <<= 1;
  if (slots > 0x40000000) return false;
  const before = idsAt;
  if (!reach(<u32>slots)) return false;
  memory.copy(slotsAt + ((<usize>slots) << 2), before, (<usize>count) << 3);
  layOut(<u32>slots);
  for (let number: u32 = 0; number < count; number++) {
    insert(hashOf(load<u64>(idsAt + ((<usize>number) << 3))), number);
  }
  return true;
}

/** Writes the number of each staged id; those that are new get the next ones, for which there is room. */
export function add(staged: u32): void {
  readHomeSlots(staged);
  for (let i: u32 = 0; i < staged; i++) {
    const id = load<u64>(stagedAt + ((<usize>i) << 3));
    store<u32>(numbersAt + ((<usize>i) << 2), numberOf(id));
  }
}

function numberOf(id: u64): u32 {
  const hash = hashOf(id);
  const mask = slotMask;
  const tag = (<u32>(hash >> 32)) & ~mask;
  let at = (<u32>hash) & mask;
  while (true) {
    const slot = load<u32>(slotsAt + ((<usize>at) << 2));
    if (slot == 0) break;
    const number = (slot & mask) - 1;
    if ((slot & ~mask) == tag && load<u64>(idsAt + ((<usize>number) << 3)) == id) return number;
    at = (at + 1) & mask;
  }
  store<u64>(idsAt + ((<usize>count) << 3), id);
  store<u32>(slotsAt + ((<usize>at) << 2), tag | (count + 1));
  return count++;
}

/** Of an id that is not there. */
function insert(hash: u64, number: u32): void {
  const mask = slotMask;
  let at = (<u32>hash) & mask;
  while (load<u32>(slotsAt + ((<usize>at) << 2)) != 0) at = (at + 1) & mask;
  store<u32>(slotsAt + ((<usize>at) << 2), ((<u32>(hash >> 32)) & ~mask) | (number + 1));
}

/** Reads the slot where each id may be: nothing waits for these reads, so that many are under way at a time. */
function readHomeSlots(staged: u32): void {
  const slots = slotsAt;
  const mask = slotMask;
  let sum: u32 = 0;
  for (let i: u32 = 0; i < staged; i++) {
    const at = (<u32>hashOf(load<u64>(stagedAt + ((<usize>i) << 3)))) & mask;
    sum += load<u32>(slots + ((<usize>at) << 2));
  }
  sink = sum;
}

/** Ids may be any numbers, not only hashes. @source the finaliser of MurmurHash3 (Appleby), a bijection. */
function hashOf(id: u64): u64 {
  let x = (id ^ (id >> 33)) * 0xff51afd7ed558ccd;
  x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53;
  return x ^ (x >> 33);
}

/** Empties so many slots; ids begin behind them. */
function layOut(slots: u32): bool {
  if (!reach(slots)) return false;
  slotMask = slots - 1;
  idsAt = slotsAt + ((<usize>slots) << 2);
  memory.fill(slotsAt, 0, (<usize>slots) << 2);
  return true;
}

/** Memory for so many slots, and ids for half of them. */
function reach(slots: u32): bool {
  const end = <u64>slotsAt + ((<u64>slots) << 2) + ((<u64>slots) << 2);
  const pages = <i64>((end + pageBytes - 1) / pageBytes) - memory.size();
  return pages <= 0 || (pages < 65_536 && memory.grow(<i32>pages) >= 0);
}
