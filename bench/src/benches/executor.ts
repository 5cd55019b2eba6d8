import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "@heddle/base";
import { anotherFirst } from "../another-first.ts";
import { type Model, models } from "../executor/models.ts";
import { type Taken, writeInputs } from "../executor/peer.ts";
import { inBfloat16, openRunners, type Runner } from "../executor/runners.ts";
import type { Bench } from "../main.ts";
import type { Goal, Row } from "../row.ts";
import { compared, skipped } from "../summarise.ts";

const out = join(import.meta.dirname, "../../out");
const full = { rounds: 21, stepMs: 150, slowMs: 600, slowRowsMax: 4_096, slowRounds: 5 };
/** Op by op, or in bfloat16 on a processor without it, a step of 4,096 rows takes seconds. */
const small = { rounds: 7, stepMs: 60, slowMs: 240, slowRowsMax: 1_024, slowRounds: 3 };
type Size = typeof full;
const rowCounts = [1_024, 4_096];

/** What an executor's examples per CPU-second must be, of another's. */
const goals: Readonly<Record<string, Goal>> = {
  "tf.function": { atLeast: 0.95 },
  "PyTorch eager": { atLeast: 1.3 },
  /** The executor: one that comes from npm alone must not be much slower than TensorFlow itself. */
  tensorflow: { atLeast: 0.75 },
};
/** In bfloat16: of TensorFlow's float32, and of who computes in it, too. */
const goalsInBfloat16: Readonly<Record<string, Goal>> = {
  "tf.function": { atLeast: 1.25 },
  "PyTorch autocast bfloat16": { atLeast: 1 },
};

/** CPU milliseconds a step by runner, in order of rounds. */
type Times = ReadonlyMap<Runner, readonly number[]>;

export const bench: Bench = {
  about:
    "one training step on one thread, in examples per CPU-second: executors, TensorFlow, PyTorch",
  run: async (options) => {
    const size = options.quick ? small : full;
    const folder = join(out, "executor");
    mkdirSync(folder, { recursive: true });
    for (const model of models) for (const rows of rowCounts) writeInputs(folder, model, rows);
    const [runners, absent] = await openRunners(folder, options);
    const rows: Row[] = [];
    for (const model of models) {
      const slow = new Set<Runner>();
      for (const count of rowCounts) {
        const where = `${model.name}, ${count} rows`;
        const [times, failed] = await interleaved(runners, slow, model, count, size);
        rows.push(...rowsOf(times, count, where), ...failed);
        options.say(`${where}: ${[...times.keys()].map(({ name }) => name).join(", ")}`);
      }
    }
    for (const runner of runners) await runner.close();
    return [...rows, ...absent];
  },
};

/**
 * All in each round, another first in each, once each is warm. Who fails at the start takes no part, and a row says why.
 *
 * @param slow who was slow with fewer rows of the model; who is now is added.
 */
async function interleaved(
  runners: readonly Runner[],
  slow: Set<Runner>,
  model: Model,
  rows: number,
  { rounds, stepMs, slowMs, slowRowsMax, slowRounds }: Size,
): Promise<[Times, Row[]]> {
  const steps = new Map<Runner, number>();
  const failed: Row[] = [];
  let first: Taken | undefined;
  for (const runner of runners) {
    if (rows > slowRowsMax && slow.has(runner)) continue;
    try {
      await runner.run(model, rows, 1);
      const warm = await runner.run(model, rows, 1);
      if (warm.msPerStep > slowMs) slow.add(runner);
      first ??= warm;
      checkSame(runner, first, warm);
      steps.set(runner, Math.max(1, Math.round(stepMs / warm.msPerStep)));
    } catch (error) {
      failed.push(skipped(`${runner.name}: ${model.name}, ${rows} rows`, messageOf(error)));
    }
  }
  const here = [...steps.keys()];
  const times = new Map<Runner, number[]>(here.map((runner) => [runner, []]));
  for (let round = 0; round < rounds; round++) {
    for (const runner of anotherFirst(here, round)) {
      if (slow.has(runner) && round >= slowRounds) continue;
      const { msPerStep } = await runner.run(model, rows, steps.get(runner) ?? 1);
      times.get(runner)?.push(msPerStep);
    }
  }
  return [times, failed];
}

/** Who has another loss or gradient did other work. */
function checkSame({ error }: Runner, first: Taken, { loss, gradientNorm }: Taken): void {
  const differs = (a: number, b: number): boolean => !(Math.abs(a / b - 1) <= error);
  if (!differs(loss, first.loss) && !differs(gradientNorm, first.gradientNorm)) return;
  throw new Error(
    `not the same step: loss ${loss}, gradient ${gradientNorm}; the others have ${first.loss}, ${first.gradientNorm}`,
  );
}

/** Each executor beside each peer, and onnx beside tensorflow; paired by the rounds that both were measured in. */
function rowsOf(times: Times, examples: number, where: string): Row[] {
  const speeds = (values: readonly number[]): number[] => values.map((ms) => (examples * 1e3) / ms);
  const runners = [...times];
  return runners
    .filter(([{ own }]) => own)
    .flatMap(([own, ownMs], i) =>
      runners
        .slice(i + 1)
        .map(([peer, peerMs]) =>
          compared(
            `${own.name}: ${where}`,
            "examples/CPU-s",
            speeds(ownMs.slice(0, peerMs.length)),
            { name: peer.name, values: speeds(peerMs) },
            (own.name === inBfloat16 ? goalsInBfloat16 : goals)[peer.name],
          ),
        ),
    );
}
