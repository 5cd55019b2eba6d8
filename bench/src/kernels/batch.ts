import { seededRandom } from "@heddle/base";
import { openExampleRows, openFieldRows } from "@heddle/kernels";
import { typescriptBatch } from "@heddle/kernels/fixtures";
import type { Row } from "../row.ts";
import { compared } from "../summarise.ts";

/** Examples by fields of a learner's step, its distinct ids, and values of a row: the grocer's are of this order. */
const count = 12_288;
const unique = 4_096;
const dimension = 9;
/** Embedding inputs of a scored example. */
const fields = 12;
/** Calls of a round. */
const calls = 20;

/** What a learner does to rows around its step, and a scorer in front of its graph, beside the same in TypeScript. */
export function batchRows(rounds: number): readonly Row[] {
  const random = seededRandom(11);
  const index = Int32Array.from({ length: count }, () => Math.floor(unique * random.next() ** 3));
  const rows = Float32Array.from({ length: unique * dimension }, () => random.next());
  const spread = new Float32Array(count * dimension);
  const sums = new Float32Array(unique * dimension);
  const examples = count / fields;
  const codes = Array.from({ length: fields }, (_, f) =>
    index.slice(f * examples, (f + 1) * examples),
  );
  const around = openExampleRows(dimension);
  typescriptBatch.gatherRows(rows, dimension, index, spread);
  around.spread(rows, index).gradients.set(spread);
  const fieldRows = openFieldRows({ numeric: 0, fields, dimension: dimension - 1 });
  const place = fieldRows.keep(rows);
  const ownFields = codes.map((own) => ({ place, codes: own }));
  const plainFields = codes.map((own) => ({ table: rows, codes: own }));
  const joined = new Float32Array(count * (dimension - 1));
  const wide = new Float32Array(count);
  const operations = {
    "gather rows of a batch": [
      () => around.spread(rows, index),
      () => typescriptBatch.gatherRows(rows, dimension, index, spread),
    ],
    "sum gradients of a batch": [
      () => around.sum(sums),
      () => typescriptBatch.sumGradients(spread, dimension, index, unique, sums),
    ],
    "gather rows of scored examples": [
      () => fieldRows.gather(new Float32Array(), ownFields, joined, wide),
      () => typescriptBatch.gatherFields(plainFields, dimension - 1, joined, wide),
    ],
  } as const;
  return Object.entries(operations).map(([measure, [own, peer]]) => {
    const speeds: [number, number][] = [];
    // The first two rounds only warm up.
    for (let round = -2; round < rounds; round++) {
      const first = speed(round % 2 === 0 ? own : peer);
      const second = speed(round % 2 === 0 ? peer : own);
      if (round >= 0) speeds.push(round % 2 === 0 ? [first, second] : [second, first]);
    }
    const values = speeds.map(([ours]) => ours);
    const typescript = { name: "TypeScript", values: speeds.map(([, theirs]) => theirs) };
    return compared(measure, "M rows/s", values, typescript, { atLeast: 1.5 });
  });
}

function speed(run: () => void): number {
  const started = performance.now();
  for (let i = 0; i < calls; i++) run();
  return (calls * count) / (performance.now() - started) / 1_000;
}
