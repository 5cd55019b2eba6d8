import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { contentName, HeddleError, type Json, shortName } from "@heddle/base";
import type { DatasetPlan } from "@heddle/feature-engine";
import type { Objects } from "@heddle/objects";
import type { OnlineRow, OnlineValues } from "@heddle/online";
import type { Engine } from "../engine/engine.ts";

export interface OnlineDeps {
  readonly online: OnlineValues;
  readonly objects: Objects;
  readonly engine: Engine;
  /** Where rows lie on their way from the engine. */
  readonly folder: string;
}

/** Which values are current: they are written whole under a name of their own before this points to them. */
export interface Current {
  readonly name: string;
  readonly asOfMs: number;
  /** Content name of the features they belong to. */
  readonly features: string;
  readonly buckets: Readonly<Record<string, number>>;
}

const rowsPerPut = 64;
const pointerView = "materialisations";

export const partView = (model: string, { name }: Pick<Current, "name">, part: string): string =>
  `${model}/${name}/${part}`;

/** Content name of what online values depend on beside the events. */
export const featuresName = ({ examples, partitioning, features }: DatasetPlan): string =>
  contentName({ examples, partitioning, features });

/**
 * Writes the features of every known key, as of a moment, to the online store, then lets requests
 * read them: no answer mixes two moments. Values of an older moment never replace newer ones, and
 * what is current already is not computed again.
 *
 * @param asOfMs 0: the newest moment at which anything stored became known.
 * @returns keys written; 0 when they were current already.
 */
export async function materialiseOnline(
  plan: DatasetPlan,
  asOfMs: number,
  deps: OnlineDeps,
): Promise<number> {
  const { online, objects, engine } = deps;
  const segments = Object.values(plan.sources).flatMap((source) => source.segments);
  const newest = Math.max(0, ...segments.map((s) => s.availableTimeMaxMs));
  const at = asOfMs === 0 ? newest : asOfMs;
  const features = featuresName(plan);
  const rowHashes = segments.map((s) => s.rowHash);
  const name = shortName(contentName({ features, rowHashes, at }));
  if ((await currentOf(plan.model, online))?.name === name) return 0;
  const paths = await Promise.all(
    segments.map(
      async ({ object }) => [object.name, await objects.path(object.name, object.sha256)] as const,
    ),
  );
  const folder = join(deps.folder, randomUUID());
  await mkdir(folder, { recursive: true });
  try {
    const target = join(folder, "rows.jsonl");
    const { keys, buckets } = await engine.ask({
      kind: "materialise",
      task: { plan, paths, asOfMs: at, target },
    });
    const next: Current = { name, asOfMs: at, features, buckets };
    await writeRows(plan.model, next, target, online);
    await point(plan.model, next, online);
    return keys;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeRows(
  model: string,
  next: Current,
  file: string,
  online: OnlineValues,
): Promise<void> {
  const waiting = new Map<string, OnlineRow[]>();
  for await (const line of createInterface({
    input: createReadStream(file),
    crlfDelay: Infinity,
  })) {
    const { part, key, values } = JSON.parse(line) as {
      part: string;
      key: string;
      values: Record<string, Json>;
    };
    const view = partView(model, next, part);
    const rows = waiting.get(view) ?? [];
    rows.push({ key, eventTimeMs: next.asOfMs, values });
    waiting.set(view, rows);
    if (rows.length < rowsPerPut) continue;
    waiting.delete(view);
    await online.put(view, rows);
  }
  for (const [view, rows] of waiting) await online.put(view, rows);
}

async function point(model: string, next: Current, online: OnlineValues): Promise<void> {
  const before = await currentOf(model, online);
  if (before !== undefined && (before.asOfMs > next.asOfMs || before.name === next.name)) return;
  // Of two rows of one time the store keeps neither by age, so the pointer's time counts moments and not events.
  const eventTimeMs =
    before?.asOfMs === next.asOfMs ? (await pointerTime(model, online)) + 0.001 : next.asOfMs;
  await online.put(pointerView, [{ key: model, eventTimeMs, values: { ...next } }]);
  if (before === undefined) return;
  for (const part of Object.keys(before.buckets)) await online.clear(partView(model, before, part));
}

async function pointerTime(model: string, online: OnlineValues): Promise<number> {
  return (await online.get(pointerView, [model]))[0]?.eventTimeMs ?? 0;
}

async function currentOf(model: string, online: OnlineValues): Promise<Current | undefined> {
  const [row] = await online.get(pointerView, [model]);
  return row?.values as Current | undefined;
}

/**
 * What a reader makes of the current values. Those that stopped being current while it read may have been cleared under it: then it reads
 * those that are now, so that no answer lacks what was there at its moment.
 *
 * @throws {HeddleError} FAILED_PRECONDITION NOT_MATERIALISED.
 */
export async function readCurrent<T>(
  plan: DatasetPlan,
  online: OnlineValues,
  read: (current: Current) => Promise<T>,
): Promise<T> {
  for (;;) {
    const current = await currentFor(plan, online);
    const [outcome] = await Promise.allSettled([read(current)]);
    if ((await currentOf(plan.model, online))?.name !== current.name) continue;
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  }
}

async function currentFor(plan: DatasetPlan, online: OnlineValues): Promise<Current> {
  const current = await currentOf(plan.model, online);
  if (current !== undefined && current.features === featuresName(plan)) return current;
  throw new HeddleError(
    "FAILED_PRECONDITION",
    "NOT_MATERIALISED",
    `the features of model ${plan.model} are ${current === undefined ? "not in the online store" : "there for another definition"}: materialise them first`,
  );
}
