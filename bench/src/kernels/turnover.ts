import { seededRandom } from "@heddle/base";
import { createTable, type ParameterTable, type TableSpec } from "@heddle/kernels";
import { anotherFirst } from "../another-first.ts";
import type { Row } from "../row.ts";
import { compared } from "../summarise.ts";
import { dimension, spec } from "./rows.ts";

const batchIds = 8_192;
/** Ids of a batch that no batch before or after it has: sessions, new items, noise. The others follow Zipf's law. */
const fresh = 2_458;
const known = 1_000_000;
/** Steps of a round; speeds are of these. */
const roundSteps = 20;
const warmRounds = 4;

/** Each keeps the rows of the same pushes in its own way; the first all of them, for ever. */
const ways: readonly (readonly [name: string, change: Partial<TableSpec>])[] = [
  ["all rows", {}],
  ["admission by count 2", { admission: { count: 2 } }],
  ["admission by count 5", { admission: { count: 5 } }],
  ["expiry of 100 steps", { expiry: { steps: 100 } }],
  ["both, 2 and 100", { admission: { count: 2 }, expiry: { steps: 100 } }],
];

interface Run {
  readonly table: ParameterTable;
  readonly speeds: Record<"pull" | "push", number[]>;
}

/** What admission by count and expiry save of memory, and what they cost of a pull and a push, where three ids of ten never come back. */
export function turnoverRows(rounds: number): readonly Row[] {
  const next = openStream();
  const runs = ways.map(([, change]): Run => {
    const table = createTable({ ...spec, versions: true, ...change });
    return { table, speeds: { pull: [], push: [] } };
  });
  for (let round = 0; round < warmRounds + rounds; round++) {
    const batches = Array.from({ length: roundSteps }, next);
    for (const run of anotherFirst(runs, round)) {
      take(run, batches, round * roundSteps, round >= warmRounds);
    }
  }
  const [all, ...others] = runs as [Run, ...Run[]];
  return others.flatMap(({ table, speeds }, i) => {
    const name = ways[i + 1]?.[0];
    const peer = <T>(values: T) => ({ name: "all rows", values });
    return [
      compared(`memory with ${name}`, "MiB", [mebibytes(table)], peer([mebibytes(all.table)])),
      ...(["pull", "push"] as const).map((operation) =>
        compared(
          `${operation} with ${name}`,
          "M rows/s",
          speeds[operation],
          peer(all.speeds[operation]),
        ),
      ),
    ];
  });
}

const mebibytes = ({ bytes }: ParameterTable): number => bytes / 2 ** 20;

/** Pulls and pushes batches once, as a step does, timed apart. */
function take(
  { table, speeds }: Run,
  batches: readonly BigUint64Array[],
  before: number,
  counts: boolean,
): void {
  const out = new Float32Array(batchIds * dimension);
  const gradients = new Float32Array(batchIds * dimension).fill(1e-3);
  const timed = (act: (ids: BigUint64Array, at: number) => void): number => {
    const started = performance.now();
    batches.forEach(act);
    return (batches.length * batchIds) / (performance.now() - started) / 1_000;
  };
  const pull = timed((ids) => table.pull(ids, out));
  const push = timed((ids, at) => table.push(ids, gradients, before + at + 1));
  if (!counts) return;
  speeds.pull.push(pull);
  speeds.push.push(push);
}

/** Batches without repetition: Zipf with exponent 1 over the known ids, and fresh ones. */
function openStream(): () => BigUint64Array {
  const random = seededRandom(17);
  let newest = 2n ** 40n;
  return () => {
    const chosen = new Set<bigint>();
    while (chosen.size < batchIds - fresh) {
      chosen.add(BigInt(Math.floor(known ** random.next())));
    }
    while (chosen.size < batchIds) chosen.add(newest++);
    return BigUint64Array.from(chosen);
  };
}
