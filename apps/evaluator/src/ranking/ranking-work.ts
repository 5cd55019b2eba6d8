import type { Slice } from "@heddle/sdk";
import { openRanking, type RankedPart } from "./ranking.ts";
import type { DatasetPart, ExampleReader, GrantedDataset } from "../scoring/reader.ts";
import { openPass } from "../scoring/scoring-pass.ts";
import { openSlicer, type SliceGroup } from "../scoring/slices.ts";
import type { Versions, Rivals } from "../scoring/rivals.ts";

/** A ranking that several threads do together: plain data, and two counters in shared memory. */
export interface RankingWork {
  readonly dataset: GrantedDataset;
  readonly parts: readonly DatasetPart[];
  /** Parts that a thread has begun, shape [1]: whoever adds one takes the next. */
  readonly taken: Int32Array<SharedArrayBuffer>;
  /** Rows scored by all, shape [1]. */
  readonly rows: Int32Array<SharedArrayBuffer>;
  /** The last rank that counts. */
  readonly at: number;
  /** Slices that candidates are ranked within, the values of their codes, and which are measured. */
  readonly groups: readonly {
    readonly slice: Slice;
    readonly met: readonly string[];
    readonly group: SliceGroup;
  }[];
  readonly versions: Versions;
  readonly fallback: Rivals["fallback"];
}

/** A part's place in the work, and what ranking it gave. */
export type TakenPart = readonly [place: number, ranked: RankedPart];

/** A thread that takes part in rankings. */
export interface RankingThread {
  /** @throws what ranking threw there. */
  rank(work: RankingWork): Promise<readonly TakenPart[]>;
}

/**
 * Takes part after part until none is left. Parts and their pieces depend on the dataset alone, so that
 * the results do not depend on how many threads took them.
 *
 * @param scored hears of the rows of each piece; what it throws ends this thread's work.
 */
export async function takeParts(
  { dataset, parts, taken, at, groups }: RankingWork,
  reader: Pick<ExampleReader, "read">,
  rivals: Rivals,
  scored: (rows: number) => void,
): Promise<readonly TakenPart[]> {
  const sliced = groups.map(({ slice, met, group }) => ({ group, slicer: openSlicer(slice, met) }));
  const score = openPass(
    reader,
    rivals,
    sliced.map(({ slicer }) => slicer),
    scored,
  );
  const ranked: TakenPart[] = [];
  for (;;) {
    const place = Atomics.add(taken, 0, 1);
    const part = parts[place];
    if (part === undefined) return ranked;
    const ranking = openRanking(at, rivals.live !== undefined, sliced);
    await score(dataset, part, ranking.add);
    ranked.push([place, ranking.part]);
  }
}

/** All parts in the order of the dataset, ranked here and on other threads; the first failure stops all. */
export async function rankTogether(
  work: RankingWork,
  here: () => Promise<readonly TakenPart[]>,
  threads: readonly RankingThread[],
): Promise<readonly RankedPart[]> {
  const { parts, taken } = work;
  const stopping = async (ranking: Promise<readonly TakenPart[]>) => {
    try {
      return await ranking;
    } catch (error) {
      Atomics.store(taken, 0, parts.length);
      throw error;
    }
  };
  const done = [here(), ...threads.map((thread) => thread.rank(work))].map(stopping);
  // Whoever fails, the versions stay in memory until the others have put their part down.
  await Promise.allSettled(done);
  const ranked = (await Promise.all(done)).flat();
  return ranked.sort(([a], [b]) => a - b).map(([, part]) => part);
}
