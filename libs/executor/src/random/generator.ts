import { readFileSync } from "node:fs";

/** The functions of `assembly/random.ts`. Addresses are in bytes, a group is 16 numbers. */
interface Kernel {
  bits(
    at: number,
    groups: number,
    key0: number,
    key1: number,
    first: number,
    stream: number,
    domain: number,
  ): void;
  uniform(at: number, groups: number, low: number, range: number): void;
  mask(at: number, groups: number, limit: number, value: number): void;
  normal(
    at: number,
    groups: number,
    mean: number,
    deviation: number,
    from: number,
    share: number,
  ): void;
}

/** What is used of the WebAssembly that Node has; its types come with neither Node's nor those of ECMAScript. */
interface WebAssemblyLike {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Memory: new (limits: object) => { readonly buffer: ArrayBuffer };
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}

const { WebAssembly: wasm } = globalThis as unknown as { readonly WebAssembly: WebAssemblyLike };

/** Numbers are made in pieces of 64 KiB, which stay in the cache; below the first lie the module's own tables. */
const pieceBytes = 65_536;
const groupNumbers = 16;
const pieceNumbers = pieceBytes / 4;

interface Opened {
  readonly kernel: Kernel;
  readonly words: Uint32Array;
  readonly floats: Float32Array;
}

/** Opened by the first call of a thread; it holds nothing that matters between two calls. */
let opened: Opened | undefined;

function open(): Opened {
  if (opened !== undefined) return opened;
  const module = new wasm.Module(readFileSync(new URL("../gen/random.wasm", import.meta.url)));
  const memory = new wasm.Memory({ initial: 2, maximum: 2 });
  const { exports } = new wasm.Instance(module, { env: { memory } });
  const words = new Uint32Array(memory.buffer, pieceBytes, pieceNumbers);
  const floats = new Float32Array(memory.buffer, pieceBytes, pieceNumbers);
  opened = { kernel: exports as Kernel, words, floats };
  return opened;
}

/** What names a stream of numbers: 64 bits of key, and which of the key's streams. */
export interface Stream {
  readonly key: readonly [number, number];
  readonly stream: number;
  readonly domain: number;
}

/** What becomes of the random bits of one number. */
export type Distribution =
  /** In [low, high), to 24 bits. */
  | { readonly kind: "uniform"; readonly low: number; readonly high: number }
  /** 1/keep with probability `keep`, else 0. */
  | { readonly kind: "mask"; readonly keep: number }
  | { readonly kind: "normal"; readonly mean: number; readonly deviation: number }
  /** Normal, given that it lies within two deviations of the mean. */
  | { readonly kind: "truncatedNormal"; readonly mean: number; readonly deviation: number };

/** The normal distribution below −2, and between −2 and 2. */
const belowTwo = 0.022750131948179195;
const withinTwo = 0.9544997361036416;

/**
 * Fills an array with the first numbers of a stream. The number at a place depends on the stream and the place alone: a longer
 * array begins like a shorter one.
 */
export function fillRandom(out: Float32Array, distribution: Distribution, stream: Stream): void {
  const { kernel, floats } = open();
  inPieces(out.length, stream, (from, to, groups) => {
    distribute(kernel, groups, distribution);
    out.set(floats.subarray(0, to - from), from);
  });
}

/** As `fillRandom`, with whole numbers from `low` on, `count` of them equally likely. */
export function fillRandomInts(
  out: Int32Array,
  { low, count }: { readonly low: number; readonly count: number },
  stream: Stream,
): void {
  const { words } = open();
  inPieces(out.length, stream, (from, to) => {
    for (let i = from; i < to; i++) {
      out[i] = low + Math.floor(((words[i - from] as number) * count) / 2 ** 32);
    }
  });
}

/** The four random words of the block at a place, by which keys are made of keys. */
export function randomWords(stream: Stream): readonly [number, number, number, number] {
  const { kernel, words } = open();
  kernel.bits(pieceBytes, 1, stream.key[0], stream.key[1], 0, stream.stream, stream.domain);
  // Word w of the first of four blocks.
  return [words[0] as number, words[4] as number, words[8] as number, words[12] as number];
}

function inPieces(
  length: number,
  { key, stream, domain }: Stream,
  use: (from: number, to: number, groups: number) => void,
): void {
  const { kernel } = open();
  for (let from = 0; from < length; from += pieceNumbers) {
    const to = Math.min(from + pieceNumbers, length);
    const groups = Math.ceil((to - from) / groupNumbers);
    // A block is four numbers.
    kernel.bits(pieceBytes, groups, key[0], key[1], from / 4, stream, domain);
    use(from, to, groups);
  }
}

function distribute(kernel: Kernel, groups: number, distribution: Distribution): void {
  const { kind } = distribution;
  if (kind === "uniform") {
    kernel.uniform(pieceBytes, groups, distribution.low, distribution.high - distribution.low);
  } else if (kind === "mask") {
    kernel.mask(pieceBytes, groups, Math.round(distribution.keep * 2 ** 24), 1 / distribution.keep);
  } else {
    const [from, share] = kind === "normal" ? [0, 1] : [belowTwo, withinTwo];
    kernel.normal(pieceBytes, groups, distribution.mean, distribution.deviation, from, share);
  }
}
