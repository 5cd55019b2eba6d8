import type { RunOptions, StepSpec, TensorData } from "../port.ts";
import { sizeAt } from "./dim.ts";
import type { ProgramDraw } from "./program.ts";
import { drawNumbers, seedFor } from "../random/draw.ts";

/**
 * The random numbers of a run, as inputs of its graph: those that the step's operations draw when it runs op by op.
 *
 * @throws {HeddleError} INVALID_ARGUMENT STEP_INPUT when the step draws and the run has no seed, or none of whole numbers.
 */
export function fillDraws(
  draws: readonly ProgramDraw[],
  spec: StepSpec,
  rows: number,
  { seed }: RunOptions,
): Record<string, TensorData> {
  const filled: Record<string, TensorData> = {};
  draws.forEach(({ input, draw, shape }, place) => {
    const length = shape.reduce<number>((product, dim) => product * sizeAt(dim, rows), 1);
    filled[input] = drawNumbers(draw, place, seedFor(draw, seed, spec), length);
  });
  return filled;
}
