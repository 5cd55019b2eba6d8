import type { Pool } from "@heddle/lane";
import { float32Of } from "@heddle/tensor";
import type { Memory } from "./shard-layout.ts";

/** Memory of the pool that is given back as a whole. */
export interface Loan {
  readonly memory: Memory;
  giveBack(): void;
}

export function borrow(pool: Pool): Loan {
  const taken: Uint8Array<ArrayBuffer>[] = [];
  return {
    memory: (values) => {
      const bytes = pool.take(values * 4);
      taken.push(bytes);
      return float32Of(bytes);
    },
    giveBack: () => {
      for (const bytes of taken.splice(0)) pool.give(bytes);
    },
  };
}
