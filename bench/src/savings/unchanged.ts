import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fields } from "../train/criteo/definition.ts";

/**
 * Of all rows that the steps of a training in `exact` mode read, the share that the same learner had pulled before and that no push changed
 * between the two states: what a cache could spare, or an answer of only what is newer, if memory and looking for it cost nothing. A learner pushes
 * what it pulls, so a row changes by the learner's own push, unless it is pulled again before that is applied.
 *
 * @param steps distinct rows of each step, from the first.
 */
export function unchangedShare(steps: readonly Iterable<number>[], lag: number): number {
  /** The steps that read a row, and so push it, newest last; older ones than the lag reaches are dropped. */
  const readBy = new Map<number, number[]>();
  let [rows, unchanged] = [0, 0];
  steps.forEach((wanted, at) => {
    const step = at + 1;
    const state = Math.max(0, step - 1 - lag);
    for (const row of wanted) {
      rows += 1;
      const before = readBy.get(row) ?? [];
      const last = before.at(-1);
      if (last !== undefined) {
        const had = Math.max(0, last - 1 - lag);
        if (!before.some((push) => push > had && push <= state)) unchanged += 1;
      }
      readBy.set(row, [...before.slice(-1 - lag), step]);
    }
  });
  return unchanged / rows;
}

/** Distinct rows of each batch of the clicks, in the order of the files. */
export function stepsOfClicks(peerFolder: string, batchSize: number): readonly Set<number>[] {
  const bytes = readFileSync(join(peerFolder, "ids.i32"));
  const ids = new Int32Array(Uint8Array.from(bytes).buffer);
  const each = batchSize * fields;
  return Array.from(
    { length: Math.ceil(ids.length / each) },
    (_, step) => new Set(ids.subarray(step * each, (step + 1) * each)),
  );
}
