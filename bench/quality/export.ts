import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { present } from "@heddle/base";
import { openExecutor } from "@heddle/executor";
import { readPartition } from "@heddle/feature-engine";
import { openScorer, score } from "@heddle/model";
import type { Objects } from "@heddle/objects";
import type { ModelDefinition } from "@heddle/sdk";
import type { ExampleBatch } from "@heddle/transform";
import { type PeerColumns, peerColumns } from "./columns.ts";
import type { ScoredRows } from "./paired.ts";
import type { PartitionFile, WeekVersion } from "./state.ts";

/** A holdout week's rows with the scores that need no peer; shape [rows] each. */
export interface Holdout {
  readonly week: number;
  readonly rows: number;
  readonly label: Float32Array;
  readonly weight: Float32Array;
  /** Visit, from 0 within the week. */
  readonly visit: Int32Array;
  readonly model: Float32Array;
  readonly popularity: Float64Array;
}

/** Files that a peer reads: `rows.f32`, and `rows.json`, which says what lies where in it. */
export interface Exported {
  readonly holdouts: readonly Holdout[];
  readonly trainingRows: number;
}

export interface ExportOptions {
  readonly objects: Objects;
  readonly versions: readonly WeekVersion[];
  /** First week of the peer's training rows. */
  readonly fromWeek: number;
  /** Folder to write to. */
  readonly folder: string;
  readonly say: (text: string) => void;
}

/**
 * Writes every version's training and holdout rows, and scores each holdout by the version trained through the week before.
 */
export async function exportRows(options: ExportOptions): Promise<Exported> {
  const { objects, versions, fromWeek, folder, say } = options;
  await mkdir(folder, { recursive: true });
  const first = present(versions[0], "a version to judge");
  const definition = await definitionOf(objects, first);
  const executor = await openExecutor({ kind: "auto" });
  const holdouts: Holdout[] = [];
  const trained = versions.flatMap(({ training }) => training).filter((p) => p.week >= fromWeek);
  await using out = await openRowFile(folder, definition);
  for (const part of trained) await out.write("training", part.week, await read(objects, part));
  for (const version of versions) {
    const { week } = version.holdout;
    const batch = await read(objects, version.holdout);
    await out.write("holdout", week, batch);
    await using scorer = await openScorer({ objects, executor, manifest: version.place });
    holdouts.push({ ...described(batch, definition), week, model: await score(scorer, batch) });
    say(`week ${week}: ${batch.rows} rows scored by the version trained through ${version.week}`);
  }
  return { holdouts, trainingRows: await out.finish() };
}

/** All holdouts as one set of rows, each visit a cluster. */
export function pooled(holdouts: readonly Holdout[]): ScoredRows {
  let visits = 0;
  const clusters = holdouts.map(({ visit }) => {
    const from = visits;
    visits += visit.reduce((most, v) => Math.max(most, v), -1) + 1;
    return Array.from(visit, (v) => from + v);
  });
  return {
    label: Float32Array.from(holdouts.flatMap(({ label }) => [...label])),
    weight: Float32Array.from(holdouts.flatMap(({ weight }) => [...weight])),
    cluster: Int32Array.from(clusters.flat()),
  };
}

function described(
  batch: ExampleBatch,
  { fallback }: ModelDefinition,
): Omit<Holdout, "week" | "model"> {
  const popularity = batch.features[fallback.feature ?? ""];
  if (popularity === undefined || popularity.type === "category") {
    throw new Error(`the fallback ${fallback.name} ranks by no number`);
  }
  const numbers = new Map<number, number>();
  const visit = batch.visit.map((name) => {
    const number = numbers.get(name) ?? numbers.size;
    numbers.set(name, number);
    return number;
  });
  const { rows, label, weight } = batch;
  return { rows, label, weight, visit, popularity: popularity.values };
}

async function read(objects: Objects, { object, sha256, columns }: PartitionFile) {
  return readPartition(await objects.path(object, sha256), columns);
}

async function definitionOf(objects: Objects, { manifest }: WeekVersion): Promise<ModelDefinition> {
  const file = present(
    manifest.files.find(({ role }) => role === "definition"),
    "the definition of a version",
  );
  const text = new TextDecoder().decode(await objects.get(file.object, file.sha256));
  return JSON.parse(text) as ModelDefinition;
}

interface Part {
  readonly use: "training" | "holdout";
  readonly week: number;
  readonly rows: number;
}

/** Appends parts, column after column each, the label last. */
async function openRowFile(folder: string, { inputs }: ModelDefinition) {
  const file = await open(join(folder, "rows.f32"), "w");
  const parts: Part[] = [];
  let layout: PeerColumns | undefined;
  return {
    write: async (use: Part["use"], week: number, batch: ExampleBatch): Promise<void> => {
      layout ??= peerColumns(inputs, batch);
      for (const values of [...layout.of(batch), batch.label]) {
        await file.writeFile(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
      }
      parts.push({ use, week, rows: batch.rows });
    },
    /** @returns rows to train on. */
    finish: async (): Promise<number> => {
      const described = JSON.stringify({ columns: layout?.columns, parts }, null, 1);
      await writeFile(join(folder, "rows.json"), described);
      return parts.reduce((sum, { use, rows }) => sum + (use === "training" ? rows : 0), 0);
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}
