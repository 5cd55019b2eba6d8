import { HeddleError } from "@heddle/base";
import type { StepSpec } from "../port.ts";
import {
  type Distribution,
  fillRandom,
  fillRandomInts,
  randomWords,
  type Stream,
} from "./generator.ts";

/** One call of a random operation: what it makes, whatever the shape. */
export interface Draw {
  /** Whole numbers are uniform ones in [low, high), or normal ones rounded. */
  readonly dtype: "float32" | "int32";
  readonly distribution: Distribution;
  /** The operation's own seed. Then its numbers are the same in every run, as TensorFlow.js promises. */
  readonly seed?: string;
}

/** The numbers that name a run's random numbers, say (seed, step, micro-batch). */
export type Seed = readonly number[];

/**
 * The numbers of the step's draw number `place` in a run: a pure function of these arguments, whatever the executor.
 *
 * @param length how many; a longer array begins like a shorter one.
 * @throws {HeddleError} INVALID_ARGUMENT STEP_INPUT when the seed is no list of whole numbers from 0.
 */
export function drawNumbers(
  draw: Draw,
  place: number,
  seed: Seed,
  length: number,
): Float32Array | Int32Array {
  const { dtype, distribution } = draw;
  // An operation with a seed has a key of its own, and no place: asked again, it says the same.
  const stream: Stream =
    draw.seed === undefined
      ? { key: keyOf(seed), stream: place, domain: domains.run }
      : {
          key: keyOf([...draw.seed].map((c) => c.codePointAt(0) ?? 0)),
          stream: 0,
          domain: domains.operation,
        };
  if (dtype === "int32" && distribution.kind === "uniform") {
    const low = Math.ceil(distribution.low);
    const whole = new Int32Array(length);
    fillRandomInts(whole, { low, count: Math.max(1, Math.ceil(distribution.high) - low) }, stream);
    return whole;
  }
  const numbers = new Float32Array(length);
  fillRandom(numbers, distribution, stream);
  return dtype === "int32" ? Int32Array.from(numbers, Math.round) : numbers;
}

/** For runs that only try a step out. */
export const trialSeed: Seed = [1];

/**
 * The seed of a run for one of its draws; one with a seed of its own needs none.
 *
 * @throws {HeddleError} INVALID_ARGUMENT STEP_INPUT when the run has no seed.
 */
export function seedFor(draw: Draw, seed: Seed | undefined, spec: StepSpec): Seed {
  if (seed !== undefined) return seed;
  if (draw.seed !== undefined) return [];
  throw new HeddleError(
    "INVALID_ARGUMENT",
    "STEP_INPUT",
    `step "${spec.name}" draws random numbers: run it with a seed, say { seed: [seed of the training, step] }`,
    { metadata: { step: spec.name } },
  );
}

/** What a stream's counter is used for, so that none is used twice. */
const domains = { run: 0, operation: 1, key: 2 } as const;

/** 64 bits of a list of numbers; each is mixed in by a block of the generator itself, under the key so far. */
function keyOf(seed: Seed): readonly [number, number] {
  let key: readonly [number, number] = [seed.length, 0];
  for (const number of seed) {
    if (!Number.isSafeInteger(number) || number < 0) {
      throw new HeddleError(
        "INVALID_ARGUMENT",
        "STEP_INPUT",
        `a seed is a list of whole numbers from 0, not [${seed.join()}]`,
      );
    }
    const [stream, high] = [number >>> 0, Math.floor(number / 2 ** 32)];
    const [a, b] = randomWords({ key, stream, domain: domains.key + high });
    key = [a, b];
  }
  return key;
}
