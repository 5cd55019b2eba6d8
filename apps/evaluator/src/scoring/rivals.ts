import type { Scorer, ScorerOptions } from "@heddle/model";
import type { Fallback } from "@heddle/sdk";

/** Who is compared. */
export interface Rivals {
  readonly candidate: Scorer;
  /** Absent when no version is live. */
  readonly live?: Scorer;
  readonly fallback: Fallback;
}

/** The objects that hold the manifests of the versions compared. */
export interface Versions {
  readonly candidate: ScorerOptions["manifest"];
  readonly live?: ScorerOptions["manifest"];
}

/** Loads a version into memory. */
export type OpenModel = (manifest: ScorerOptions["manifest"]) => Promise<Scorer>;

/** Loads the versions; the stack owns them. */
export async function openRivals(
  versions: Versions,
  fallback: Rivals["fallback"],
  openModel: OpenModel,
  stack: AsyncDisposableStack,
): Promise<Rivals> {
  const candidate = stack.use(await openModel(versions.candidate));
  if (versions.live === undefined) return { candidate, fallback };
  return { candidate, live: stack.use(await openModel(versions.live)), fallback };
}
