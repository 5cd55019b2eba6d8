/** An array of that length, with whatever was in it: good until the next call. */
export type Scratch<T> = (length: number) => T;

/**
 * Memory of one array that is used again: it grows, and stays. Arrays of a batch's size that are made for each step cost more than filling
 * them, and make V8 collect.
 */
export function openScratch<
  T extends { readonly length: number; subarray(from: number, to: number): T },
>(make: (length: number) => T): Scratch<T> {
  let held = make(0);
  return (length) => {
    if (held.length < length) held = make(length);
    return held.subarray(0, length);
  };
}
