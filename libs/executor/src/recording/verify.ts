import { isHeddleError, messageOf, seededRandom } from "@heddle/base";
import type { CompiledStep, StepSpec, TensorData } from "../port.ts";
import { trialSeed } from "../random/draw.ts";
import { drawInputs, type Style } from "../step-inputs.ts";
import type { OpByOpStep } from "../tfjs/op-by-op.ts";

/** A third row count, so that what fits two recordings by chance is found out. */
export const CHECKED_ROWS = 37;

/** The greatest difference in a row, relative to the row's own scale. */
const TOLERANCE = 1e-5;

/** What rounding explains: EXPLAINED times what an output moves by when the inputs move by this share, so less than TOLERANCE. */
const LAST_DIGITS = 1e-6;
const EXPLAINED = 4;

/** Signed numbers first, which try both sides of a ReLU; steps with logarithms or roots need positive ones. */
const styles: readonly Style[] = [
  { low: -0.5, high: 0.5, idsBelow: 2 },
  { low: 0.1, high: 0.9, idsBelow: 2 },
  { low: 0.1, high: 0.9, idsBelow: 1 },
];

const options = { seed: trialSeed };

interface Trial {
  readonly graph: Pick<CompiledStep, "run">;
  readonly opByOp: OpByOpStep;
  readonly spec: StepSpec;
  readonly rows: number;
}

type Outputs = Readonly<Record<string, Float32Array>>;

/**
 * Compares a graph with its step op by op, on random rows. A pre-activation within rounding of zero may
 * fall on either side of a ReLU and change a whole row's gradient; that is rare, so a first difference is
 * believed only when it shows again on one of two further batches.
 *
 * @returns why the graph must not be used; undefined when both agree.
 */
export async function disagreement(
  graph: Pick<CompiledStep, "run">,
  opByOp: OpByOpStep,
  spec: StepSpec,
  rows = CHECKED_ROWS,
): Promise<string | undefined> {
  const trial = { graph, opByOp, spec, rows };
  const style = styles.find((candidate) => isTelling(trial, candidate));
  if (style === undefined) {
    return "op by op gave no finite results on random rows, so the graph could not be checked";
  }
  const first = await compareOn(trial, style, 1);
  if (first === undefined) return undefined;
  for (const seed of [2, 3]) {
    if ((await compareOn(trial, style, seed)) !== undefined) return first;
  }
  return undefined;
}

/** Whether a step gives numbers on such inputs: NaN agrees with NaN and proves nothing. */
function isTelling({ opByOp, spec, rows }: Trial, style: Style): boolean {
  try {
    const outputs = opByOp.runNow(draw(spec, rows, style, 1), rows, options);
    return Object.values(outputs).every((values) => values.every(Number.isFinite));
  } catch {
    // Ids beyond a small table make a step throw: the next style has smaller ones.
    return false;
  }
}

async function compareOn(
  { graph, opByOp, spec, rows }: Trial,
  style: Style,
  seed: number,
): Promise<string | undefined> {
  const inputs = draw(spec, rows, style, seed);
  const want = opByOp.runNow(inputs, rows, options);
  let got: Outputs;
  try {
    got = await graph.run(inputs, rows, options);
  } catch (error) {
    // A step's error says the rows as well; what the graph said is its cause.
    const said = isHeddleError(error, "STEP_FAILED") ? error.cause : error;
    return `the graph failed on ${rows} rows: ${messageOf(said)}`;
  }
  for (const [name, values] of Object.entries(want)) {
    const result = got[name] ?? new Float32Array();
    const error = largestRowError(values, result, rows);
    if (error <= TOLERANCE) continue;
    if (largestDifference(values, result) <= roundingOf(opByOp, inputs, want, name, rows)) continue;
    return `output "${name}" of the graph is off by ${error.toExponential(1)} on ${rows} rows`;
  }
  return undefined;
}

/**
 * How much an output moves when the inputs move by their last digits. The gradient of a bias before batch normalisation
 * is 0: what is computed of it is rounding, and no two ways of computing agree on that.
 */
function roundingOf(
  opByOp: OpByOpStep,
  inputs: Readonly<Record<string, TensorData>>,
  want: Outputs,
  name: string,
  rows: number,
): number {
  const random = seededRandom(1);
  const moved: Record<string, TensorData> = {};
  for (const [input, values] of Object.entries(inputs)) {
    moved[input] =
      values instanceof Int32Array
        ? values
        : values.map((x) => x * (1 + LAST_DIGITS * (2 * random.next() - 1)));
  }
  const other = opByOp.runNow(moved, rows, options)[name] ?? new Float32Array();
  return EXPLAINED * largestDifference(want[name] ?? other, other);
}

function largestDifference(p: Float32Array, q: Float32Array): number {
  if (p.length !== q.length) return Infinity;
  return p.reduce((most, x, i) => Math.max(most, Math.abs(x - (q[i] ?? NaN))), 0);
}

/** The scale of a row is its own largest number, but not less than the typical size in the output. */
export function largestRowError(want: Float32Array, got: Float32Array, rows: number): number {
  if (want.length !== got.length) return Infinity;
  const width = want.length % rows === 0 ? want.length / rows : want.length;
  const typical = Math.sqrt(want.reduce((sum, x) => sum + x * x, 0) / want.length);
  let worst = 0;
  for (let row = 0; row < want.length; row += width) {
    let scale = typical;
    let difference = 0;
    for (let i = row; i < row + width; i += 1) {
      scale = Math.max(scale, Math.abs(want[i] ?? NaN));
      difference = Math.max(difference, Math.abs((want[i] ?? NaN) - (got[i] ?? NaN)));
    }
    if (difference > 0 || Number.isNaN(difference)) worst = Math.max(worst, difference / scale);
  }
  return worst;
}

function draw(
  spec: StepSpec,
  rows: number,
  style: Style,
  seed: number,
): Record<string, TensorData> {
  return drawInputs(spec, rows, style, seededRandom(seed));
}
