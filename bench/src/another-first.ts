/**
 * All, another one first in each round: what slows the machine for a while, and what the one before leaves in caches, meets all alike.
 *
 * @param round from 0 on; -1 for one that only warms up.
 */
export function anotherFirst<T>(all: readonly T[], round: number): T[] {
  const at = (round + all.length) % all.length;
  return [...all.slice(at), ...all.slice(0, at)];
}
