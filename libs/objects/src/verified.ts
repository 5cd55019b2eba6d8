import type { Stats } from "node:fs";
import type { Reference } from "./reference.ts";

const verifiedFilesMax = 10_000;

/** Which data files this process has checked against their digest, as long as size and time stay. */
export interface Verified {
  has(reference: Reference, facts: Stats): boolean;
  add(reference: Reference, facts: Stats): void;
}

export function startVerified(): Verified {
  const seen = new Map<string, string>();
  const factsOf = ({ size, mtimeMs, ino }: Stats): string => `${size} ${mtimeMs} ${ino}`;
  return {
    has: (reference, facts) => seen.get(reference.file) === factsOf(facts),
    add: (reference, facts) => {
      seen.set(reference.file, factsOf(facts));
      const oldest = seen.keys().next().value;
      if (seen.size > verifiedFilesMax && oldest !== undefined) seen.delete(oldest);
    },
  };
}
