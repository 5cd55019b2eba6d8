import type { Clock } from "@heddle/base";
import type { LoadedVersion } from "./versions.ts";

/** What versions hold in memory, as digests: computed from the tensors, a second of work for each GiB or so. */
export interface MemoryDigests {
  /** @param ageMaxMs one that was computed at most so long ago will do; 0: it is computed now. */
  of(loaded: LoadedVersion, ageMaxMs?: number): Promise<string>;
}

export function openMemoryDigests(clock: Clock): MemoryDigests {
  const newest = new WeakMap<LoadedVersion, { readonly digest: string; readonly atMs: number }>();
  return {
    of: async (loaded, ageMaxMs = 0) => {
      // From before it was read: what changes while it is read may not be in it.
      const atMs = clock.monotonicMs();
      const known = newest.get(loaded);
      if (known !== undefined && atMs - known.atMs < ageMaxMs) return known.digest;
      const digest = await loaded.scorer.memoryDigest();
      newest.set(loaded, { digest, atMs });
      return digest;
    },
  };
}
