// Rows that end. A row that no push changed for so many steps is dead: nobody sees it any more, from one push to the next, wherever its
// cell lies. Its cell becomes free later, when the sweep comes along. Two versions that no push has say what a cell is.
import { setVersion, versionOf } from "./layout";

/** No row: the cell waits to be used again. */
export const freeMark: u32 = 0xffffffff;
/** A row that was removed, in a cell that the sweep has not reached. */
const goneMark: u32 = 0xfffffffe;

/** Whether rows of this table end at all. */
export let mortal: bool = false;
/** Steps without a push after which a row is dead; 0 when none is for that. */
let lifetime: u32 = 0;
/** The push after which the table stands. */
export let clock: u32 = 0;
/** Rows that died of age, as far as their cells were used again or freed. */
export let expired: u32 = 0;

export function setLife(ends: bool, steps: u32): void {
  mortal = ends;
  lifetime = steps;
}

export function setClock(push: u32): void {
  clock = push;
}

/** False for whatever table whose rows do not end: pushes and pulls of it cost what they did. */
export function isDead(record: usize): bool {
  return mortal && isDeadAt(record, clock);
}

export function isDeadAt(record: usize, push: u32): bool {
  if (!mortal) return false;
  const version = versionOf(record);
  if (version >= goneMark) return true;
  return lifetime != 0 && push > version && push - version >= lifetime;
}

export function isFree(record: usize): bool {
  return mortal && versionOf(record) == freeMark;
}

/** A dead row's place is taken over, or freed. */
export function noteEnd(record: usize): void {
  if (versionOf(record) < goneMark) expired++;
}

export function markGone(record: usize): void {
  setVersion(record, goneMark);
}
