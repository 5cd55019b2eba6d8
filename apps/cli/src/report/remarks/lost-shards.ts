import type { LostShard } from "@heddle/proto/registry";
import { count, seconds } from "../../output/numbers.ts";

/** The part of a training's summary that it is said from. */
interface Lossy {
  readonly lostShards?: readonly Omit<LostShard, "$typeName" | "$unknown">[];
}

/** What a training in bounded mode lost with its shards; undefined when none died. */
export function lostShardsLine(training: Lossy | undefined): string | undefined {
  const lost = training?.lostShards ?? [];
  if (lost.length === 0) return undefined;
  const words = lost.map(
    ({ shard, seconds: away, snapshotStep, lostUpdates }) =>
      `shard ${shard} died and served again ${seconds(away)} later, as it was at step ${count(snapshotStep)}, without ${count(lostUpdates)} updates`,
  );
  return words.join("; ");
}
