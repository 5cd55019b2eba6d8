import { existsSync } from "node:fs";
import { join } from "node:path";
import { HeddleError, present } from "@heddle/base";
import type { DatasetColumn } from "@heddle/feature-engine";
import { type ModelManifest, readManifest } from "@heddle/model";
import { type Objects, openFileObjects } from "@heddle/objects";

/** A partition's file in a state folder. */
export interface PartitionFile {
  readonly week: number;
  readonly object: string;
  readonly sha256: string;
  readonly columns: readonly DatasetColumn[];
}

/** A version that the regular retraining made, and the week after it. */
export interface WeekVersion {
  /** Last week it was trained on. */
  readonly week: number;
  /** Where its manifest is. */
  readonly place: { readonly name: string; readonly sha256: string };
  readonly manifest: ModelManifest;
  /** What it was trained on itself; its parents have the weeks before. */
  readonly training: readonly PartitionFile[];
  /** What it was judged on: the week after. */
  readonly holdout: PartitionFile;
}

interface Dataset {
  readonly columns: readonly DatasetColumn[];
  readonly partitions: readonly {
    readonly partition: string;
    readonly object: { readonly name: string; readonly sha256: string };
  }[];
}

interface Evaluation {
  readonly version: string;
  /** The holdout. */
  readonly dataset: string;
}

/**
 * Finds a model's versions in the objects that a run left, oldest first: the one trained through the latest week,
 * and its parents. A candidate that was refused is nobody's parent.
 *
 * @param state the folder, `.heddle` by default.
 * @throws {HeddleError} NOT_FOUND NO_STATE when there is no run to judge.
 */
export async function openState(
  state: string,
  model: string,
): Promise<{ readonly objects: Objects; readonly versions: readonly WeekVersion[] }> {
  if (!existsSync(join(state, "objects"))) throw noState(state);
  const objects = await openFileObjects({ path: join(state, "objects") });
  const evaluations = (await jsonUnder(objects, "evaluations/")) as readonly Evaluation[];
  const found = new Map<string, WeekVersion>();
  for (const name of await objects.list("models/manifest/")) {
    const sha256 = name.slice(name.lastIndexOf("/") + 1);
    const manifest = await readManifest(objects, { name, sha256 });
    const judged = evaluations.find(({ version }) => version === sha256);
    if (manifest.model !== model || judged === undefined) continue;
    const training = await partitionsOf(objects, manifest.dataset);
    const [holdout] = await partitionsOf(objects, judged.dataset);
    const week = present(training.at(-1), `partitions of dataset ${manifest.dataset}`).week;
    found.set(sha256, {
      week,
      place: { name, sha256 },
      manifest,
      training,
      holdout: present(holdout, `the partition of holdout ${judged.dataset}`),
    });
  }
  if (found.size === 0) throw noState(state);
  return { objects, versions: lineOf(found, state) };
}

function lineOf(found: ReadonlyMap<string, WeekVersion>, state: string): readonly WeekVersion[] {
  const last = Math.max(...[...found.values()].map(({ week }) => week));
  const [tip, second] = [...found.values()].filter(({ week }) => week === last);
  if (second !== undefined) {
    throw new HeddleError(
      "FAILED_PRECONDITION",
      "TWO_VERSIONS",
      `${state} has two versions trained through week ${last}, of which one was refused: judge a full run, made by npm start`,
    );
  }
  const line: WeekVersion[] = [];
  for (let at = tip; at !== undefined; at = found.get(at.manifest.parentVersion)) line.unshift(at);
  return line;
}

async function partitionsOf(objects: Objects, dataset: string): Promise<PartitionFile[]> {
  const text = new TextDecoder().decode(await objects.get(`manifests/${dataset}.json`));
  const { columns, partitions } = JSON.parse(text) as Dataset;
  return partitions.map(({ partition, object }) => ({
    week: Number(partition),
    object: object.name,
    sha256: object.sha256,
    columns,
  }));
}

async function jsonUnder(objects: Objects, prefix: string): Promise<unknown[]> {
  const names = await objects.list(prefix);
  return Promise.all(
    names.map(
      async (name) => JSON.parse(new TextDecoder().decode(await objects.get(name))) as unknown,
    ),
  );
}

function noState(state: string): HeddleError {
  return new HeddleError(
    "NOT_FOUND",
    "NO_STATE",
    `${state} holds no evaluated version of the grocer's model: run npm start first, or name its folder by --state=FOLDER or HEDDLE_STATE`,
  );
}
