import { readFileSync } from "node:fs";

/** A number that an instance exports. */
export interface Global {
  readonly value: number;
}

export interface Memory {
  /** Another one when the memory has grown. */
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
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

export const pageBytes = 65_536;

/** Grows a memory to at least so many bytes; what was seen of it before is gone when it had fewer. */
export function reachBytes(memory: Memory, bytes: number): void {
  const missing = Math.ceil((bytes - memory.buffer.byteLength) / pageBytes);
  if (missing > 0) memory.grow(missing);
}

const compiled = new Map<string, object>();

/**
 * An instance of `gen/<name>.wasm`, which is compiled once, with a memory of its own.
 *
 * @param pages limit of its memory.
 */
export function openInstance<Exports extends object>(
  name: string,
  pages = pagesMax,
): Exports & { readonly memory: Memory } {
  const module =
    compiled.get(name) ??
    new wasm.Module(readFileSync(new URL(`./gen/${name}.wasm`, import.meta.url)));
  compiled.set(name, module);
  const memory = new wasm.Memory({ initial: 0, maximum: pages });
  const { exports } = new wasm.Instance(module, { env: { memory } });
  return exports as Exports & { readonly memory: Memory };
}
