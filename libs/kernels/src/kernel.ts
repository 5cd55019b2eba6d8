import { readFileSync } from "node:fs";

/** One instance of `assembly/table.ts`: what each function does stands there. */
export interface Kernel {
  readonly memory: Memory;
  readonly rows: Global;
  readonly idsAt: Global;
  readonly valuesAt: Global;
  readonly slotsAt: Global;
  configure(dimension: number, slotWidth: number, stagedRows: number): boolean;
  setOptimizer(
    kind: number,
    rate: number,
    firstSlot: number,
    epsilon: number,
    a: number,
    b: number,
    c: number,
  ): void;
  clear(expectedRows: number): boolean;
  hasRoom(moreRows: number): boolean;
  reserve(moreRows: number): boolean;
  countMissing(count: number): number;
  pull(count: number): void;
  firstBad(count: number, limit: number): number;
  push(count: number): void;
  startWalk(): void;
  nextIds(count: number): void;
  read(count: number): void;
  write(count: number): void;
}

interface Global {
  readonly value: number;
}

interface Memory {
  readonly buffer: ArrayBuffer;
}

/** What is used of the WebAssembly that Node has; its types come with neither Node's nor those of ECMAScript. */
interface WebAssemblyLike {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Memory: new (limits: { readonly initial: number; readonly maximum: number }) => Memory;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}

const { WebAssembly: wasm } = globalThis as unknown as { readonly WebAssembly: WebAssemblyLike };

/** 4 GiB, in pages of 64 KiB. */
export const pagesMax = 65_536;

let compiled: object | undefined;

/**
 * A kernel with a memory of its own.
 *
 * @param draw writes the initial values of the row (low, high) at an address of its memory.
 * @param pages limit of its memory.
 */
export function openKernel(
  draw: (low: number, high: number, address: number) => void,
  pages: number,
): Kernel {
  compiled ??= new wasm.Module(readFileSync(new URL("./gen/table.wasm", import.meta.url)));
  const memory = new wasm.Memory({ initial: 0, maximum: pages });
  const { exports } = new wasm.Instance(compiled, { env: { memory }, table: { draw } });
  return exports as Kernel;
}
