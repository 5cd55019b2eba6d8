import { textIds } from "@heddle/kernels";
import xxhash from "xxhash-wasm";
import { type Dictionary, isPacked } from "./dictionary.ts";

const { h64 } = await xxhash();
const encoder = new TextEncoder();

/** Separates an input's name from its value; names hold no control characters, so no two pairs meet. */
const valueMark = "\0";
const nullMark = "\u0001";

/** The id of a value of an input: XXH64 of `name \0 value` in UTF-8. */
export function valueId(input: string, value: string): bigint {
  return h64(input + valueMark + value);
}

/** The id of null in an input: XXH64 of `name \1`, which no value has. */
export function nullId(input: string): bigint {
  return h64(input + nullMark);
}

/** Ids by dictionary and input: slices of one batch share their dictionaries, so each entry is hashed once. */
const known = new WeakMap<Dictionary, Map<string, BigUint64Array>>();

/** Ids of a dictionary's entries in an input, and last the id of null; shape [entries + 1]. */
export function dictionaryIds(input: string, dictionary: Dictionary): BigUint64Array {
  const byInput = known.get(dictionary) ?? new Map<string, BigUint64Array>();
  const cached = byInput.get(input);
  // A dictionary that has grown since is hashed again.
  if (cached?.length === dictionary.length + 1) return cached;
  const ids = new BigUint64Array(dictionary.length + 1);
  if (isPacked(dictionary)) {
    textIds(encoder.encode(input + valueMark), dictionary.utf8, dictionary.ends, ids);
  } else {
    dictionary.forEach((entry, i) => (ids[i] = valueId(input, entry)));
  }
  ids[dictionary.length] = nullId(input);
  byInput.set(input, ids);
  known.set(dictionary, byInput);
  return ids;
}

/**
 * Mixes one more id into each row's id, in place; the order of the parts matters.
 *
 * Both arrays are 32-bit halves of ids, the lower first; `from` is read at `codes`.
 *
 * @source the body and the finaliser of MurmurHash3 (Appleby) on two 32-bit lanes; each step is a bijection of the
 * row's id for a fixed part, and of the part for a fixed row.
 */
export function combineIds(rows: Uint32Array, from: Uint32Array, codes: Int32Array): void {
  for (let i = 0; i < codes.length; i++) {
    const part = 2 * (codes[i] as number);
    let low = rows[2 * i] as number;
    let high = rows[2 * i + 1] as number;
    low ^= Math.imul(rotate(Math.imul(from[part] as number, 0x239b961b), 15), 0xab0e9789);
    low = (Math.imul((rotate(low, 19) + high) | 0, 5) + 0x561ccd1b) | 0;
    high ^= Math.imul(rotate(Math.imul(from[part + 1] as number, 0xab0e9789), 16), 0x38b34ae5);
    high = (Math.imul((rotate(high, 17) + low) | 0, 5) + 0x0bcaa747) | 0;
    low = finish((low + high) | 0);
    high = finish((high + low) | 0);
    rows[2 * i] = low + high;
    rows[2 * i + 1] = high;
  }
}

function rotate(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

function finish(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
