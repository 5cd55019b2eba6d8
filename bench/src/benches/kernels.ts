import { assert } from "@heddle/base";
import { createTable, type ParameterTable } from "@heddle/kernels";
import { createTypeScriptTable } from "@heddle/kernels/fixtures";
import { temporaryFolder } from "@heddle/testkit";
import { anotherFirst } from "../another-first.ts";
import { batchRows } from "../kernels/batch.ts";
import { openPeer, type Peer } from "../kernels/peer.ts";
import { dimension, fill, makeWork, spec, type Work } from "../kernels/rows.ts";
import { turnoverRows } from "../kernels/turnover.ts";
import type { Bench } from "../main.ts";
import type { Row } from "../row.ts";
import { compared, measured, skipped } from "../summarise.ts";

const full = { rows: 4_000_000, batches: 64, rounds: 21 };
const small = { rows: 1_000_000, batches: 32, rounds: 11 };
const batchIds = 8_192;
const copiedBytes = 256 * 2 ** 20;

const operations = ["pull", "push"] as const;
type Operation = (typeof operations)[number];
/** What runs: its name, and how it takes all batches once, in seconds. */
type Runner = readonly [string, (operation: Operation) => number | Promise<number>];
type Seconds = ReadonlyMap<string, readonly number[]>;

/** Bytes a row needs of memory: its id, its slot of the index, the record or part of it, the row that comes or goes. */
const neededBytes: Readonly<Record<Operation, number>> = {
  pull: 8 + 4 + (8 + 4 * dimension) + 4 * dimension,
  push: 8 + 4 + 4 * dimension + (8 + 8 * dimension) + 8 * dimension,
};

export const bench: Bench = {
  about: `pull and push of rows of ${dimension} on one core, beside plain C++ -O3 and TypeScript`,
  run: async ({ quick, say, environment }) => {
    const { rows, batches, rounds } = quick ? small : full;
    const work = makeWork(rows, batches, batchIds);
    using folder = temporaryFolder("bench-kernels");
    const table = fill(createTable(spec), work);
    const halves = fill(createTable({ ...spec, storage: "bfloat16" }), work);
    const oracle = fill(createTypeScriptTable(spec), work);
    const peer = openPeer(folder, work, environment["PATH"] ?? "");
    say(`${rows} rows are in memory, ${batches} batches of ${batchIds} ids`);
    const runners: Runner[] = [
      ["wasm", timed(table, work)],
      ["bfloat16", timed(halves, work)],
      ["typescript", timed(oracle, work)],
      ...(peer === undefined ? [] : [["cpp", peer.ask] satisfies Runner]),
    ];
    const seconds = await interleaved(rounds, runners);
    await checkPeer(table, work, peer);
    await peer?.close();
    const tables = rowsOf(seconds, batches * batchIds, table.bytes / rows, peer !== undefined);
    const kept = { rows, table, halves };
    return [
      ...tables,
      ...halvesRows(seconds, batches * batchIds, kept),
      ...batchRows(rounds),
      ...turnoverRows(rounds),
    ];
  },
};

/** All in each round, another first in each; a round that only warms up is left out. */
async function interleaved(rounds: number, runners: readonly Runner[]): Promise<Seconds> {
  const seconds = new Map<string, number[]>();
  const note = (key: string, value: number): void => {
    seconds.set(key, [...(seconds.get(key) ?? []), value]);
  };
  const [from, to] = [new Uint8Array(copiedBytes).fill(1), new Uint8Array(copiedBytes)];
  for (let round = -1; round < rounds; round++) {
    for (const operation of operations) {
      for (const [name, run] of anotherFirst(runners, round)) {
        const taken = await run(operation);
        if (round >= 0) note(`${name} ${operation}`, taken);
      }
    }
    const started = performance.now();
    to.set(from);
    if (round >= 0) note("copy", (performance.now() - started) / 1_000);
  }
  return seconds;
}

function timed(table: ParameterTable, { batches, gradients }: Work): Runner[1] {
  const out = new Float32Array(batchIds * dimension);
  return (operation) => {
    const started = performance.now();
    for (const ids of batches) {
      if (operation === "pull") table.pull(ids, out);
      else table.push(ids, gradients);
    }
    return (performance.now() - started) / 1_000;
  };
}

/** After the same pushes both must hold the same numbers: else something else was measured. */
async function checkPeer(table: ParameterTable, { batches }: Work, peer?: Peer): Promise<void> {
  if (peer === undefined) return;
  const out = new Float32Array(batchIds * dimension);
  let sum = 0;
  for (const ids of batches) {
    table.pull(ids, out);
    for (const value of out) sum += value;
  }
  assert(sum === (await peer.ask("sum")), "the peer in C++ holds other values than the table");
}

/** What bfloat16 storage saves of memory, and what it does to speed. */
function halvesRows(
  all: Seconds,
  taken: number,
  kept: {
    readonly rows: number;
    readonly table: ParameterTable;
    readonly halves: ParameterTable;
  },
): Row[] {
  const speeds = (key: string): number[] => (all.get(key) ?? []).map((s) => taken / s / 1e6);
  return [
    ...operations.map((operation) => {
      const full = { name: "float32", values: speeds(`wasm ${operation}`) };
      const measure = `${operation} in bfloat16, beside float32`;
      return compared(measure, "M rows/s", speeds(`bfloat16 ${operation}`), full);
    }),
    measured("memory in float32", "bytes/row", [kept.table.bytes / kept.rows]),
    measured("memory in bfloat16", "bytes/row", [kept.halves.bytes / kept.rows]),
  ];
}

function rowsOf(all: Seconds, taken: number, rowBytes: number, withPeer: boolean): Row[] {
  const secondsOf = (key: string): readonly number[] => all.get(key) ?? [];
  const speeds = (key: string): number[] => secondsOf(key).map((s) => taken / s / 1e6);
  const copy = secondsOf("copy");
  return [
    ...operations.flatMap((operation) => {
      const own = speeds(`wasm ${operation}`);
      const unit = "M rows/s";
      const typescript = { name: "TypeScript", values: speeds(`typescript ${operation}`) };
      const cpp = { name: "C++ -O3", values: speeds(`cpp ${operation}`) };
      const share = own.map(
        (speed, i) =>
          (100 * speed * 1e6 * neededBytes[operation]) / ((2 * copiedBytes) / (copy[i] ?? 1)),
      );
      return [
        withPeer
          ? compared(`${operation}, beside C++`, unit, own, cpp, { atLeast: 0.9 })
          : skipped(`${operation}, beside C++`, "there is no g++"),
        compared(`${operation}, beside TypeScript`, unit, own, typescript, { atLeast: 1 }),
        measured(`${operation}: bytes needed, of a copy loop's`, "%", share),
      ];
    }),
    measured(
      "copy loop, read and written",
      "GB/s",
      copy.map((s) => (2 * copiedBytes) / s / 1e9),
    ),
    measured("memory beyond values and slots", "bytes/row", [rowBytes - 8 * dimension]),
  ];
}
