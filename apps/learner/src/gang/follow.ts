import { once } from "node:events";
import { HeddleError } from "@heddle/base";
import { isAtEnd } from "../attempt.ts";
import type { TrainDeps } from "../deps.ts";
import { joinGang } from "./gang.ts";
import { watchShards } from "./lost-shards.ts";
import { openAttempt, type TrainRequest } from "../run.ts";

/**
 * The part of a learner that does not lead: its share of every step of the attempt. It comes to the same place in the run by itself,
 * and waits there until the leader has restored the shards. Snapshots, progress and the version are the leader's. In bounded mode it stays
 * until the attempt is over.
 *
 * @throws {HeddleError} as `runTraining`; ABORTED GANG_APART when the leader starts from another step.
 */
export async function followTraining(
  deps: TrainDeps,
  request: TrainRequest,
  signal: AbortSignal,
): Promise<void> {
  const opened = await openAttempt(deps, request, signal);
  if (opened.kind === "done" || isAtEnd(opened.start, opened.attempt)) return;
  const { attempt, start } = opened;
  await using gang = await joinGang(deps, attempt, start, signal);
  const { restored = 0 } = gang.wire;
  if (restored !== start.progress.step) throw apart(restored, start.progress.step);
  await using _watch = watchShards(deps, gang.wire, undefined, signal);
  let told = 0;
  const cpuSeconds = (): number => {
    const spent = deps.usage().cpuSeconds;
    const since = spent - told;
    told = spent;
    return since;
  };
  const nothing = { onStep: () => undefined, onCut: async () => undefined };
  await gang.train({ ...nothing, cpuSeconds }, signal);
  // The leader still writes the last cut: a shard that is lost there comes back only when all learners do.
  if (gang.wire.replace !== undefined && !signal.aborted) await once(signal, "abort");
}

function apart(leader: number, own: number): HeddleError {
  return new HeddleError(
    "ABORTED",
    "GANG_APART",
    `the leader starts from step ${leader} and this learner from ${own}: a snapshot was recorded between their looks at the run; the next attempt sees the same one`,
    { metadata: { leader: String(leader), own: String(own) } },
  );
}
