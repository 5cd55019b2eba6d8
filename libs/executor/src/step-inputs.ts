import { HeddleError, type Random } from "@heddle/base";
import type { InputSpec, StepSpec, TensorData } from "./port.ts";

/** The shape of an input for that many rows. */
export function shapeOf(input: InputSpec, rows: number): number[] {
  return input.shape.map((dim) => (dim === "rows" ? rows : dim));
}

export function sizeOf(input: InputSpec, rows: number): number {
  return shapeOf(input, rows).reduce((product, dim) => product * dim, 1);
}

/**
 * Checks a call's inputs against the spec, before a native library sees them.
 *
 * @throws {HeddleError} INVALID_ARGUMENT STEP_INPUT when an input is missing, unknown, of another type or size.
 */
export function checkInputs(
  spec: StepSpec,
  inputs: Readonly<Record<string, TensorData>>,
  rows: number,
): void {
  if (!Number.isSafeInteger(rows) || rows < 1) {
    throw wrongInput(spec, `the number of rows is ${rows}; give a whole number from 1`);
  }
  for (const [name, input] of Object.entries(spec.inputs)) {
    const data = inputs[name];
    if (data === undefined) throw wrongInput(spec, `input "${name}" is missing`);
    const fits =
      input.dtype === "int32" ? data instanceof Int32Array : data instanceof Float32Array;
    if (!fits) throw wrongInput(spec, `input "${name}" must be ${arrayOf[input.dtype]}`);
    const size = sizeOf(input, rows);
    if (data.length !== size) {
      const shape = shapeOf(input, rows).join();
      throw wrongInput(
        spec,
        `input "${name}" has ${data.length} elements, not ${size} ([${shape}])`,
      );
    }
  }
  for (const name of Object.keys(inputs)) {
    if (!Object.hasOwn(spec.inputs, name))
      throw wrongInput(spec, `it has no input "${name}"; leave it out`);
  }
}

/**
 * How trial inputs are drawn: signed or positive numbers; ids 0 and 1, or only 0. Matrices of a fixed shape are
 * parameters: they are drawn smaller by the root of their height, as initialisers do, for the products of large
 * layers would grow and lose digits that no training loses.
 */
export interface Style {
  readonly low: number;
  readonly high: number;
  readonly idsBelow: number;
}

/** Random inputs of the right shapes, to try a step out. */
export function drawInputs(
  spec: StepSpec,
  rows: number,
  style: Style,
  random: Random,
): Record<string, TensorData> {
  const drawn: Record<string, TensorData> = {};
  for (const [name, input] of Object.entries(spec.inputs)) {
    const size = sizeOf(input, rows);
    const stream = random.split(name);
    const scale = 1 / Math.sqrt(fanIn(input.shape));
    drawn[name] =
      input.dtype === "int32"
        ? Int32Array.from({ length: size }, () => stream.below(style.idsBelow))
        : Float32Array.from(
            { length: size },
            () => scale * (style.low + stream.next() * (style.high - style.low)),
          );
  }
  return drawn;
}

function fanIn(shape: InputSpec["shape"]): number {
  const [height, width] = shape;
  const matrix = typeof height === "number" && width !== undefined && !shape.includes("rows");
  return matrix ? Math.max(1, height) : 1;
}

const arrayOf = { float32: "a Float32Array", int32: "an Int32Array" } as const;

function wrongInput(spec: StepSpec, what: string): HeddleError {
  return new HeddleError("INVALID_ARGUMENT", "STEP_INPUT", `step "${spec.name}": ${what}`, {
    metadata: { step: spec.name },
  });
}
