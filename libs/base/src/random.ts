/**
 * A counter-based random stream: the n-th number is a pure function of (seed, n), so its whole
 * state is one pair of numbers that a snapshot can keep, and streams split by name.
 *
 * @source splitmix64 finaliser in two 32-bit halves: Steele, Lea, Flood, "Fast Splittable
 * Pseudorandom Number Generators", OOPSLA 2014.
 */
export interface Random {
  /** Uniform in [0, 1), 32 bits of resolution. */
  next(): number;
  /** Uniform integer in [0, below). */
  below(limit: number): number;
  /** Standard normal, by the Box–Muller transform. */
  normal(): number;
  /** An independent stream of that name. */
  split(name: string): Random;
  readonly seed: number;
  readonly counter: number;
}

/** 32 well-mixed bits of (seed, n). */
export function mix32(seed: number, n: number): number {
  let x = (seed ^ Math.imul(n | 0, 0x9e3779b1)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13) ^ seed, 0xc2b2ae35);
  x = Math.imul(x ^ (x >>> 16), 0x27d4eb2f);
  return (x ^ (x >>> 15)) >>> 0;
}

/** A 32-bit hash of text: FNV-1a, finalised. For seeds and stable choices, never for identity. */
export function hash32(text: string, seed = 0): number {
  let h = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return mix32(h >>> 0, text.length);
}

/** @param counter numbers of the stream that were drawn already. */
export function seededRandom(seed: number, counter = 0): Random {
  let n = counter;
  const next = (): number => mix32(seed, n++) / 2 ** 32;
  return {
    next,
    below: (limit) => Math.floor(next() * limit),
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    split: (name) => seededRandom(hash32(name, seed)),
    seed,
    get counter() {
      return n;
    },
  };
}
