import { type Global, type Memory, openInstance } from "../wasm.ts";

/** One instance of `assembly/table.ts`: what each function does stands there. */
export interface Kernel {
  readonly memory: Memory;
  readonly rows: Global;
  readonly expired: Global;
  readonly idsAt: Global;
  readonly foundAt: Global;
  readonly valuesAt: Global;
  readonly slotsAt: Global;
  readonly versionsAt: Global;
  configure(
    dimension: number,
    slotWidth: number,
    stagedRows: number,
    versions: boolean,
    bfloat16: boolean,
  ): boolean;
  setOptimizer(
    kind: number,
    rate: number,
    firstSlot: number,
    epsilon: number,
    a: number,
    b: number,
    c: number,
  ): void;
  /** What new rows are drawn by. */
  setDraw(seed: number, deviation: number): void;
  setLife(ends: boolean, steps: number): void;
  setClock(push: number): void;
  clear(expectedRows: number): boolean;
  hasRoom(moreRows: number): boolean;
  reserve(moreRows: number): boolean;
  usedBytes(): number;
  countMissing(count: number): number;
  countAbsent(count: number): number;
  countLiving(): number;
  cellsTaken(): number;
  pull(count: number): void;
  pullNewer(count: number, since: number): number;
  firstBad(count: number, limit: number): number;
  push(count: number, version: number): void;
  startWalk(): void;
  nextIds(count: number, since: number): number;
  read(count: number): void;
  remove(count: number): void;
  sweepAll(): void;
  write(count: number): void;
  freeze(since: number): boolean;
  takeOfCut(count: number): number;
  nextOfCut(count: number): number;
  cutLeft(): number;
  release(): void;
}

/**
 * A kernel with a memory of its own.
 *
 * @param pages limit of its memory.
 */
export function openKernel(pages: number): Kernel {
  return openInstance<Kernel>("table", pages);
}
