import type { TrainingSummary } from "@heddle/proto/registry";
import { earlyStopLine } from "./early-stop.ts";
import { lostShardsLine } from "./lost-shards.ts";
import { rowsLine } from "./rows.ts";
import { stalenessLine } from "./staleness.ts";
import { transferLine } from "./transfer.ts";

/** What else is to be known of a training, a line for each: most have none. */
export function remarksOn(training: TrainingSummary | undefined): readonly string[] {
  const lines = [transferLine, earlyStopLine, rowsLine, stalenessLine, lostShardsLine];
  return lines.flatMap((line) => line(training) ?? []);
}
