import { HeddleError } from "@heddle/base";
import { type Memory, openInstance, pageBytes, pagesMax, reachBytes } from "../wasm.ts";

/** The functions of `assembly/batch.ts` that it uses. */
interface Kernel {
  readonly memory: Memory;
  gather(rows: number, bytes: number, index: number, count: number, out: number): void;
  add(rows: number, bytes: number, index: number, count: number, sums: number): void;
}

/**
 * A table's rows around a step: spread over its examples before, their gradients summed by row after. The step itself reads and writes
 * the kernel's memory, so that nothing of an example's size is copied in or out.
 */
export interface ExampleRows {
  /**
   * Gives each value of the examples its row: what `gatherRows` does.
   *
   * @param rows shape [rows, dimension].
   * @param index shape [values]: positions in `rows`.
   * @returns both of shape [values, dimension], and good until the next call: the rows, and where their gradients are to be written.
   * @throws {HeddleError} RESOURCE_EXHAUSTED BATCH_TOO_LARGE.
   */
  spread(
    rows: Float32Array,
    index: Int32Array,
  ): { readonly rows: Float32Array; readonly gradients: Float32Array };
  /**
   * Sums the gradients that were written, by the rows of the last `spread`: what `sumGradients` does.
   *
   * @param out shape [rows, dimension].
   */
  sum(out: Float32Array): void;
}

/** Where arrays begin: a cache line. */
const alignment = 64;

/** @param dimension values of a row. */
export function openExampleRows(dimension: number): ExampleRows {
  const kernel = openInstance<Kernel>("batch");
  const rowBytes = 4 * dimension;
  // [index][rows, and sums after them][rows of examples][their gradients]
  const indexAt = 0;
  let [values, rowsAt, gradientsAt] = [0, 0, 0];
  return {
    spread: (rows, index) => {
      values = index.length;
      rowsAt = aligned(index.byteLength);
      const examplesAt = rowsAt + aligned(rows.byteLength);
      const exampleBytes = aligned(values * rowBytes);
      gradientsAt = examplesAt + exampleBytes;
      const end = gradientsAt + exampleBytes;
      if (end > pagesMax * pageBytes) throw tooLarge(values, end);
      reachBytes(kernel.memory, end);
      const { buffer } = kernel.memory;
      new Int32Array(buffer, indexAt, values).set(index);
      new Float32Array(buffer, rowsAt, rows.length).set(rows);
      kernel.gather(rowsAt, rowBytes, indexAt, values, examplesAt);
      return {
        rows: new Float32Array(buffer, examplesAt, values * dimension),
        gradients: new Float32Array(buffer, gradientsAt, values * dimension),
      };
    },
    sum: (out) => {
      const sums = new Float32Array(kernel.memory.buffer, rowsAt, out.length).fill(0);
      kernel.add(gradientsAt, rowBytes, indexAt, values, rowsAt);
      out.set(sums);
    },
  };
}

const aligned = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;

function tooLarge(values: number, bytes: number): HeddleError {
  return new HeddleError(
    "RESOURCE_EXHAUSTED",
    "BATCH_TOO_LARGE",
    `the rows of ${values} embedding inputs of a batch take ${bytes} bytes with their gradients, and at most ${pagesMax * pageBytes} are there: train with a smaller batchSize`,
  );
}
