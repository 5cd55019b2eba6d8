import type { Jobs } from "@heddle/jobs";
import { temporaryFolder } from "@heddle/testkit";
import type { Bench } from "../main.ts";
import type { Row } from "../row.ts";
import { codecRows } from "../snapshot/codec.ts";
import { type Alone, type Floors, floorsOf, restoreAlone } from "../snapshot/restore-alone.ts";
import { type BenchShard, type CutFile, openBenchShard } from "../snapshot/shard.ts";
import { allRows, type Batch, rowBytes, zipfBatches } from "../snapshot/work.ts";
import { compared, measured, median } from "../summarise.ts";
import { openJobs, type Place, placeIn } from "../train/gang.ts";

/** Rows of the table, and seconds of steps on each side of a round: one snapshot of all rows falls in them. */
const full = { rows: 4_000_000, seconds: 60, rounds: 3 };
const small = { rows: 300_000, seconds: 4, rounds: 3 };
/** Stands for the step's computation, which holds the learner's thread. */
const computeMs = 30;
const gibibyte = 2 ** 30;

/** What a round measured. */
interface Round {
  readonly stepsWithout: number;
  readonly stepsWith: number;
  readonly medianStepMs: number;
  readonly longestPushMs: number;
  readonly freezeMs: number;
  readonly base: CutFile;
  readonly increment: CutFile;
  readonly restoreSeconds: number;
  /** In another process, to its first answer; and what of it cannot be spared. */
  readonly alone: Alone;
  readonly floors: Floors;
}

export const bench: Bench = {
  about: "training steps with a snapshot of all rows beside none; bytes of what changed; restore",
  run: async ({ quick, say, environment }) => {
    const { rows, seconds, rounds } = quick ? small : full;
    using folder = temporaryFolder("bench-snapshot");
    const place: Place = { ...placeIn(folder, environment), featureStore: "" };
    await using jobs: Jobs = openJobs(place);
    await using shard = await openBenchShard(jobs, place, 2 * rows);
    for (const batch of allRows(rows)) await step(shard, batch, 0);
    say(`the shard holds ${rows} rows, ${((rows * rowBytes) / gibibyte).toFixed(2)} GiB`);
    const batches = zipfBatches(rows, 64);
    const done: Round[] = [];
    // The first warms up.
    for (let round = -1; round < rounds; round++) {
      const here = await measure(shard, batches, round < 0 ? 1 : seconds, round);
      const files = [here.base, here.increment] as const;
      const ids = (batches[0] as Batch).ids;
      const alone = await restoreAlone(jobs, place, 2 * rows, files, ids);
      const one = { ...here, alone, floors: await floorsOf(place, files, rowBytes) };
      if (round >= 0) done.push(one);
      say(`round ${round + 1}: longest push ${one.longestPushMs.toFixed(0)} ms`);
    }
    return [...rowsOf(done, seconds), ...codecRows(20)];
  },
};

/** Both sides, the other first in every other round; then what changed since, and the way back. */
async function measure(
  shard: BenchShard,
  batches: readonly Batch[],
  seconds: number,
  round: number,
): Promise<Omit<Round, "alone" | "floors">> {
  let without = round % 2 === 0 ? await stepsFor(shard, batches, seconds) : undefined;
  await step(shard, batches[0] as Batch, computeMs, true);
  const frozen = performance.now();
  await shard.freeze();
  const freezeMs = performance.now() - frozen;
  let base: CutFile | undefined;
  const saving = shard.save(`base-${round}`).then((file) => (base = file));
  const during = await stepsFor(shard, batches, seconds, () => base !== undefined);
  const whole = await saving;
  await step(shard, batches[1] as Batch, computeMs, true);
  await shard.freeze(whole.step);
  const increment = await shard.save(`increment-${round}`);
  without ??= await stepsFor(shard, batches, seconds);
  const began = performance.now();
  await shard.restore(whole, increment);
  return {
    stepsWithout: without.perSecond,
    stepsWith: during.perSecond,
    medianStepMs: median(without.stepMs),
    longestPushMs: Math.max(...during.pushMs),
    freezeMs,
    ...{ base: whole, increment, restoreSeconds: (performance.now() - began) / 1_000 },
  };
}

/** Steps for so long, and on until `enough`. */
async function stepsFor(
  shard: BenchShard,
  batches: readonly Batch[],
  seconds: number,
  enough = (): boolean => true,
) {
  const [stepMs, pushMs]: [number[], number[]] = [[], []];
  const began = performance.now();
  const elapsed = (): number => (performance.now() - began) / 1_000;
  while (elapsed() < seconds || !enough()) {
    const at = performance.now();
    pushMs.push(await step(shard, batches[stepMs.length % batches.length] as Batch, computeMs));
    stepMs.push(performance.now() - at);
  }
  return { stepMs, pushMs, perSecond: stepMs.length / elapsed() };
}

/** @returns milliseconds of its push. */
async function step(
  shard: BenchShard,
  { ids, gradients }: Batch,
  holdMs: number,
  cut = false,
): Promise<number> {
  await shard.pull(ids);
  const until = performance.now() + holdMs;
  while (performance.now() < until);
  const at = performance.now();
  await shard.push(ids, gradients, cut);
  return performance.now() - at;
}

function rowsOf(rounds: readonly Round[], seconds: number): Row[] {
  const of = (take: (round: Round) => number): number[] => rounds.map(take);
  const megabytes = (file: CutFile): number => Number(file.object.bytes) / 1e6;
  const restored = ({ base, increment }: Round): number =>
    ((base.rows + increment.rows) * rowBytes) / gibibyte;
  const allowed = { name: "10 s for 1 GiB", values: rounds.map(() => 10) };
  return [
    compared(
      `steps with a snapshot of all rows every ${seconds} s`,
      "steps/s",
      of(({ stepsWith }) => stepsWith),
      { name: "without", values: of(({ stepsWithout }) => stepsWithout) },
      { atLeast: 0.95 },
    ),
    compared(
      "longest push while it is written",
      "ms",
      of(({ longestPushMs }) => longestPushMs),
      { name: "a step", values: of(({ medianStepMs }) => medianStepMs) },
      { atMost: 2 },
    ),
    measured(
      "taking the cut",
      "ms",
      of(({ freezeMs }) => freezeMs),
    ),
    compared(
      "file of all rows",
      "MB",
      of(({ base }) => megabytes(base)),
      { name: "in memory", values: of(({ base }) => (base.rows * rowBytes) / 1e6) },
      { atMost: 1 },
    ),
    compared(
      `file of rows changed in ${seconds} s`,
      "MB",
      of(({ increment }) => megabytes(increment)),
      { name: "all rows", values: of(({ base }) => megabytes(base)) },
      { atMost: 1 },
    ),
    compared(
      "restore of both, a GiB of rows",
      "s",
      of((round) => round.restoreSeconds / restored(round)),
      allowed,
      { atMost: 1 },
    ),
    compared(
      "a lost shard alone: its process's start, and a GiB of rows",
      "s",
      of((round) => round.alone.startSeconds + round.alone.restoreSeconds / restored(round)),
      allowed,
      { atMost: 1 },
    ),
    ...floorNames.map(([floor, name]) =>
      compared(
        "a lost shard alone, after its process's start",
        "s",
        of(({ alone }) => alone.restoreSeconds),
        { name, values: of(({ floors }) => floors[floor]) },
      ),
    ),
  ];
}

const floorNames: readonly (readonly [keyof Floors, string])[] = [
  ["read", "reading and checking the same files"],
  ["unpack", "unpacking them, too"],
  ["touch", "touching memory for its rows"],
];
