import type { TrainingSummary } from "@heddle/proto/registry";

/** Stages in the order in which a reader meets them; one that a later release adds comes last. */
const order = ["start", "compute", "read", "transform", "pull", "push", "snapshot", "other"];

export type StageTimes = Pick<TrainingSummary, "stageShares" | "bottleneck" | "wallSeconds">;

/** Shares of the learner's wall time, in the order of `order`. */
export function stagesOf(training: Pick<StageTimes, "stageShares"> | undefined) {
  const place = (stage: string): number => {
    const at = order.indexOf(stage);
    return at < 0 ? order.length : at;
  };
  return Object.entries(training?.stageShares ?? {}).sort(([a], [b]) => place(a) - place(b));
}

/** Shares over several trainings, each by its wall time, and what held most of that time up; empty when none says. */
export function together(trainings: readonly StageTimes[]): StageTimes {
  const wallSeconds = trainings.reduce((sum, training) => sum + training.wallSeconds, 0);
  const shares: Record<string, number> = {};
  const held: Record<string, number> = {};
  for (const { stageShares, bottleneck, wallSeconds: own } of trainings) {
    if (bottleneck !== "") held[bottleneck] = (held[bottleneck] ?? 0) + own;
    for (const [stage, share] of Object.entries(stageShares)) {
      shares[stage] = (shares[stage] ?? 0) + (share * own) / wallSeconds;
    }
  }
  const [most] = Object.entries(held).sort(([, a], [, b]) => b - a);
  return { stageShares: shares, bottleneck: most?.[0] ?? "", wallSeconds };
}

/** `computing 36 %, waiting most for push (12 %), starting 15 %`: of the learner's wall time. */
export function waitingLine({ stageShares, bottleneck }: StageTimes): string {
  const percent = (stage: string): string => `${Math.round(100 * (stageShares[stage] ?? 0))} %`;
  const waiting =
    bottleneck === "compute"
      ? "hardly waiting"
      : `waiting most for ${bottleneck} (${percent(bottleneck)})`;
  return [
    `computing ${percent("compute")}`,
    ...(bottleneck === "" ? [] : [waiting]),
    ...(stageShares["start"] === undefined ? [] : [`starting ${percent("start")}`]),
  ].join(", ");
}

/** The part of the time that was computing, as a bar of so many characters. */
export function computingBar({ stageShares }: StageTimes, width: number): string {
  const full = Math.round((stageShares["compute"] ?? 0) * width);
  return "█".repeat(full) + "░".repeat(width - full);
}
