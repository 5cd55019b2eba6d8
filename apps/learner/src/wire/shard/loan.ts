import type { Pool } from "@heddle/lane";
import { float32Of } from "@heddle/tensor";

/** Gives memory of shape [values], with whatever was in it. */
export type Memory = (values: number) => Float32Array;

/** Memory of the pool that is given back as a whole. */
export interface Loan {
  readonly memory: Memory;
  /** The same, by bytes. */
  readonly bytes: (length: number) => Uint8Array;
  /** Whether the values lie in it, and so last until it is given back. */
  holds(values: Float32Array): boolean;
  giveBack(): void;
}

export function borrow<Memory extends ArrayBufferLike>(pool: Pool<Memory>): Loan {
  const taken: Uint8Array<Memory>[] = [];
  const bytes = (length: number): Uint8Array<Memory> => {
    const memory = pool.take(length);
    taken.push(memory);
    return memory;
  };
  return {
    bytes,
    memory: (values) => float32Of(bytes(4 * values)),
    holds: ({ buffer }) => taken.some((own) => own.buffer === buffer),
    giveBack: () => {
      for (const bytes of taken.splice(0)) pool.give(bytes);
    },
  };
}
