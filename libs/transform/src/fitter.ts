import { HeddleError } from "@heddle/base";
import type { CategoryExpression, ModelInput, NumberExpression } from "@heddle/sdk";
import { fitNothing } from "./compile.ts";
import { badPlan, notANumber } from "./errors.ts";
import { compileNumber, featuresOf, type Numbers } from "./number.ts";
import type { OpenFitter } from "./port.ts";
import { ownArrays } from "./row-memory.ts";

/** Quantiles of more values than this are those of every 2nd, 4th, … value. */
const quantileValuesMax = 2 ** 20;

/** An expression whose numbers must be seen, and where its fit belongs. */
interface Fitted {
  readonly path: string;
  readonly input: string;
  readonly of: NumberExpression;
  /** Of a quantile; absent for standardise. */
  readonly buckets?: number;
}

/**
 * Fits a plan in one pass over the training rows. Rows are taken in the order they come, so the same rows in the same order give
 * the same fit; nulls do not count.
 *
 * @throws {HeddleError} INVALID_ARGUMENT NESTED_FIT when one fitted expression lies in another.
 */
export const openFitter: OpenFitter = (inputs) => {
  const fits = inputs.flatMap(fittedIn).map((fitted) => ({
    ...fitted,
    program: compileNumber(fitted.of, fitted.input, `${fitted.path}/of`, fitNothing),
    moments: { count: 0, mean: 0, squares: 0 },
    sample: createSample(),
  }));
  return {
    features: [...new Set(fits.flatMap(({ of }) => featuresOf(of)))],
    add: (batch) => {
      const all = { batch, from: 0, to: batch.rows, memory: ownArrays };
      for (const { of, input, program, buckets, moments, sample } of fits) {
        const numbers = program(all);
        refuseNonFinite(numbers, of, input);
        if (buckets === undefined) addMoments(moments, numbers);
        else sample.add(numbers);
      }
    },
    fit: () => {
      const standardise: Record<string, { mean: number; deviation: number }> = {};
      const quantile: Record<string, readonly number[]> = {};
      for (const { path, buckets, moments, sample } of fits) {
        if (moments.count === 0 && sample.count() === 0) throw nothingToFit(path);
        if (buckets === undefined) {
          const deviation = Math.sqrt(moments.squares / moments.count);
          // A constant is standardised to 0.
          standardise[path] = { mean: moments.mean, deviation: deviation > 0 ? deviation : 1 };
        } else {
          quantile[path] = sample.bounds(buckets);
        }
      }
      return { standardise, quantile };
    },
  };
};

function fittedIn(input: ModelInput): readonly Fitted[] {
  return input.kind === "numeric"
    ? fittedNumbers(input.of, input.name, input.name)
    : fittedCategories(input.of, input.name, input.name);
}

function fittedCategories(of: CategoryExpression, input: string, path: string): readonly Fitted[] {
  switch (of.op) {
    case "category":
      return [];
    case "cross":
      return of.of.flatMap((part, i) => fittedCategories(part, input, `${path}/of.${i}`));
    case "bucketise":
      return fittedNumbers(of.of, input, `${path}/of`);
    case "quantile":
      return outermost({ path, input, of: of.of, buckets: of.buckets });
  }
}

function fittedNumbers(of: NumberExpression, input: string, path: string): readonly Fitted[] {
  switch (of.op) {
    case "value":
    case "age-days":
    case "is-missing":
      return [];
    case "standardise":
      return outermost({ path, input, of: of.of });
    case "ratio":
      return [
        ...fittedNumbers(of.of, input, `${path}/of`),
        ...fittedNumbers(of.by, input, `${path}/by`),
      ];
    case "difference":
      return [
        ...fittedNumbers(of.of, input, `${path}/of`),
        ...fittedNumbers(of.minus, input, `${path}/minus`),
      ];
    default:
      return fittedNumbers(of.of, input, `${path}/of`);
  }
}

/** One pass cannot fit on numbers that need a fit themselves. */
function outermost(fitted: Fitted): readonly Fitted[] {
  const inside = fittedNumbers(fitted.of, fitted.input, `${fitted.path}/of`)[0];
  if (inside === undefined) return [fitted];
  throw badPlan(
    "NESTED_FIT",
    `${fitted.path} is fitted on ${inside.path}, which is fitted itself: use a fixed scale inside`,
  );
}

function refuseNonFinite({ values, valid }: Numbers, of: NumberExpression, input: string): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i]) || valid?.[i] === 0) continue;
    throw notANumber(featuresOf(of), input, i, values[i] as number);
  }
}

/** @source Welford, "Note on a Method for Calculating Corrected Sums of Squares and Products", 1962. */
function addMoments(
  moments: { count: number; mean: number; squares: number },
  { values, valid }: Numbers,
): void {
  for (let i = 0; i < values.length; i++) {
    if (valid?.[i] === 0) continue;
    const x = values[i] as number;
    moments.count += 1;
    const before = x - moments.mean;
    moments.mean += before / moments.count;
    moments.squares += before * (x - moments.mean);
  }
}

/** A sample of bounded size that needs no randomness: every `stride`-th value, the stride doubling when it is full. */
function createSample(): {
  add(numbers: Numbers): void;
  count(): number;
  bounds(buckets: number): readonly number[];
} {
  let sample: number[] = [];
  let stride = 1;
  let seen = 0;
  return {
    add: ({ values, valid }) => {
      for (let i = 0; i < values.length; i++) {
        if (valid?.[i] === 0) continue;
        if (seen++ % stride === 0) sample.push(values[i] as number);
        if (sample.length < quantileValuesMax) continue;
        sample = sample.filter((_, at) => at % 2 === 0);
        stride *= 2;
      }
    },
    count: () => sample.length,
    bounds: (buckets) => {
      const sorted = Float64Array.from(sample).sort();
      const bounds = Array.from(
        { length: buckets - 1 },
        (_, k) => sorted[Math.floor(((k + 1) * sorted.length) / buckets)] as number,
      );
      return [...new Set(bounds)];
    },
  };
}

function nothingToFit(path: string): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "NOTHING_TO_FIT",
    `no training row has a value for ${path}: look at the dataset for an empty or all-null feature`,
    { metadata: { path } },
  );
}
