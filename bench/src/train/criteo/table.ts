import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DatasetColumn, type Duckdb, openDuckdb, readPartition } from "@heddle/feature-engine";
import { openFileObjects } from "@heddle/objects";
import { compileTransform, type ExampleBatch, fitNothing, textsOf } from "@heddle/transform";
import {
  cardinality,
  categoryName,
  clickModel,
  fields,
  numberName,
  numbers,
} from "./definition.ts";

/** A dataset in an object store, and the same rows as a peer reads them. */
export interface Clicks {
  /** As the feature store grants it. */
  readonly manifest: object;
  readonly rows: number;
  readonly partitionRows: number;
  /** `ids.i32` (row of a table of all fields, shape [rows, fields]), `dense.f32` (shape [rows, numbers]) and `label.f32`. */
  readonly peerFolder: string;
}

const columns: readonly DatasetColumn[] = [
  ...Array.from({ length: fields }, (_, f) => ({
    name: categoryName(f),
    type: "category" as const,
  })),
  ...Array.from({ length: numbers }, (_, n) => ({ name: numberName(n), type: "float64" as const })),
];
const exampleColumns = {
  visit: "int64",
  example_time: "timestamp",
  label: "float64",
  weight: "float64",
};
const databaseBytesMax = 4 * 2 ** 30;
const seed = 20_260_101;
/** 2 ** 64, the range of DuckDB's hash. */
const hashes = "18446744073709551616.0";

/**
 * Draws a table with a seed: 26 categories by Zipf's law (exponent 1), 13 counts of which a tenth is missing, and clicks that depend on both.
 *
 * @param folder of the object store and of the peers' files.
 */
export async function makeClicks(
  folder: string,
  partitions: number,
  partitionRows: number,
): Promise<Clicks> {
  await using db = await openDuckdb({
    threads: 1,
    memoryBytesMax: databaseBytesMax,
    tempFolder: folder,
  });
  const objects = await openFileObjects({ path: join(folder, "objects") });
  const peerFolder = join(folder, "peers");
  mkdirSync(peerFolder);
  const parts = [];
  let positives = 0;
  for (let part = 0; part < partitions; part++) {
    const file = join(folder, `${part}.parquet`);
    await writePartition(db, file, part * partitionRows, partitionRows);
    positives += await db.count(`select sum(label)::integer from read_parquet('${file}')`);
    appendForPeers(peerFolder, await readPartition(file, columns));
    const { name, bytes, sha256 } = await objects.putFile(`datasets/clicks-${part}`, file);
    const object = { name, bytes: BigInt(bytes), sha256 };
    parts.push({ partition: String(part), rows: BigInt(partitionRows), object });
  }
  const rows = partitions * partitionRows;
  writeFileSync(
    join(peerFolder, "shape.json"),
    JSON.stringify({ rows, fields, numbers, cardinality }),
  );
  const examples = Object.entries(exampleColumns).map(([name, type]) => ({ name, type }));
  const manifest = {
    ...{ dataset: "clicks", columns: [...columns, ...examples], partitions: parts },
    ...{ rows: BigInt(rows), positives: BigInt(positives) },
  };
  return { manifest, rows, partitionRows, peerFolder };
}

/** The manifest of a dataset with the partitions of another so many times over, in other orders. */
export function repeated({ manifest, rows }: Clicks, times: number): object {
  const { partitions } = manifest as { readonly partitions: readonly object[] };
  const all = Array.from({ length: times }, (_, time) =>
    partitions.map((part, p) => ({ ...part, partition: `${time}-${p}` })),
  );
  return { ...manifest, partitions: all.flat(), rows: BigInt(rows * times) };
}

/** A uniform number from 0 to 1 by what it is for. */
const uniform = (...of: readonly (string | number)[]): string =>
  `(hash(${[seed, ...of].join(", ")}) / ${hashes})`;

/** As the feature store writes a partition: codes, with the words of each column's dictionary beside them. */
async function writePartition(db: Duckdb, file: string, from: number, rows: number): Promise<void> {
  const ranks = Array.from(
    { length: fields },
    (_, f) => `floor(pow(${cardinality + 1}, ${uniform("i", f)}))::integer - 1 as c${f}`,
  );
  const counts = Array.from({ length: numbers }, (_, n) => {
    const missing = `${uniform("i", n, 1_000)} < 0.1`;
    return `case when ${missing} then null else floor(exp(4 * ${uniform("i", n, 2_000)})) - 1 end as n${n}`;
  });
  await db.run(`create or replace table drawn as
    select i, ${[...ranks, ...counts].join(", ")} from range(${from}, ${from + rows}) t(i)`);
  const effects = [
    ...Array.from({ length: fields }, (_, f) => `${uniform(`c${f}`, f, 3_000)} - 0.5`),
    ...Array.from({ length: numbers }, (_, n) => `0.1 * (ln(1 + coalesce(n${n}, 0)) - 1.6)`),
  ];
  const logit = `-1 + ${effects.join(" + ")}`;
  const codes = Array.from(
    { length: fields },
    (_, f) => `dense_rank() over (order by c${f})::integer - 1 as c${f}`,
  );
  const plain = Array.from({ length: numbers }, (_, n) => `n${n}`);
  await db.run(`copy (
    select i::integer as visit, 1735689600000 + i as example_time,
      (${uniform("i", 4_000)} < 1 / (1 + exp(-(${logit}))))::utinyint as label, 1::float as weight,
      ${[...codes, ...plain].join(", ")}
    from drawn order by i
  ) to '${file}' (format parquet, kv_metadata {'heddle.dictionaries': '${JSON.stringify(await words(db))}'})`);
}

/** Dictionaries by column: a value's word is its rank in hexadecimal digits, as Criteo's words look. */
async function words(db: Duckdb): Promise<Record<string, string[]>> {
  const all: Record<string, string[]> = {};
  for (let f = 0; f < fields; f++) {
    all[categoryName(f)] = await db.texts(
      `select printf('%08x', c${f}) from (select distinct c${f} from drawn) order by c${f}`,
    );
  }
  return all;
}

/** Appends a partition's rows as they go into a peer's tensors: categories are rows of one table already, numbers are transformed. */
function appendForPeers(folder: string, batch: ExampleBatch): void {
  const ids = new Int32Array(batch.rows * fields);
  for (let f = 0; f < fields; f++) {
    const column = batch.features[categoryName(f)];
    if (column?.type !== "category") throw new Error(`no category c${f}`);
    const ranks = textsOf(column.dictionary).map((word) => Number.parseInt(word, 16));
    column.codes.forEach((code, i) => (ids[i * fields + f] = f * cardinality + (ranks[code] ?? 0)));
  }
  const { numeric } = compileTransform(clickModel(1).inputs, fitNothing);
  appendFileSync(join(folder, "ids.i32"), new Uint8Array(ids.buffer));
  appendFileSync(join(folder, "dense.f32"), new Uint8Array(numeric(batch).buffer));
  appendFileSync(join(folder, "label.f32"), new Uint8Array(batch.label.slice().buffer));
}
