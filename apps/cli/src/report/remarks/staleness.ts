import type { TrainingSummary } from "@heddle/proto/registry";
import { count } from "../../output/numbers.ts";

type Bounded = Pick<TrainingSummary, "staleness" | "inFlightMax" | "staleRefused">;

/** How stale the parameters were that a training in bounded mode computed with; undefined for one in exact mode. */
export function stalenessLine(training: Bounded | undefined): string | undefined {
  if (training === undefined) return undefined;
  const { staleness, inFlightMax, staleRefused } = training;
  const all = staleness.reduce((sum, pushes) => sum + pushes, 0n);
  if (all === 0n) return undefined;
  const shares = staleness.flatMap((pushes, behind) =>
    pushes === 0n ? [] : [`${count(behind)} in ${percent(pushes, all)}`],
  );
  return [
    `updates by staleness: ${shares.join(", ")}`,
    `at most ${count(inFlightMax)} under way at a time`,
    `${count(staleRefused)} refused as too stale and computed again`,
  ].join("; ");
}

const percent = (part: bigint, all: bigint): string => {
  const share = (100 * Number(part)) / Number(all);
  return share < 1 ? "under 1 %" : `${Math.round(share)} %`;
};
