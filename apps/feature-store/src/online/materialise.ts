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

/** On Kafka a put is a round to the brokers and back; here it holds the event loop while its rows are encoded. */
const [rowsPerPut, bytesPerPut] = [512, 512 << 10];
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
 * @returns keys written, 0 when they were current already; and of which moment the current values are now.
 */
export async function materialiseOnline(
  plan: DatasetPlan,
  asOfMs: number,
  deps: OnlineDeps,
): Promise<{ readonly keys: number; readonly asOfMs: number }> {
  const { online, objects, engine } = deps;
  const segments = Object.values(plan.sources).flatMap((source) => source.segments);
  const newest = Math.max(0, ...segments.map((s) => s.availableTimeMaxMs));
  const at = asOfMs === 0 ? newest : asOfMs;
  const features = featuresName(plan);
  const rowHashes = segments.map((s) => s.rowHash);
  const name = shortName(contentName({ features, rowHashes, at }));
  if ((await currentOf(plan.model, online))?.name === name) return { keys: 0, asOfMs: at };
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
    return { keys, asOfMs: (await currentOf(plan.model, online))?.asOfMs ?? at };
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
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Infinity });
  let waiting = { part: "", bytes: 0, rows: [] as OnlineRow[] };
  const putWaiting = async (part: string): Promise<void> => {
    const { part: whose, rows } = waiting;
    waiting = { part, bytes: 0, rows: [] };
    if (rows.length > 0) await online.put(partView(model, next, whose), rows);
  };
  for await (const line of lines) {
    const { part, key, values } = JSON.parse(line) as {
      part: string;
      key: string;
      values: Record<string, Json>;
    };
    const full = waiting.rows.length === rowsPerPut || waiting.bytes + line.length > bytesPerPut;
    // A part's rows come one behind the other.
    if (full || part !== waiting.part) await putWaiting(part);
    waiting.rows.push({ key, eventTimeMs: next.asOfMs, values });
    waiting.bytes += line.length;
  }
  await putWaiting("");
}

/** Leads readers to values that are written whole, unless those of a later moment are there; which of both nobody needs is cleared. */
export async function point(model: string, next: Current, online: OnlineValues): Promise<void> {
  const before = await currentOf(model, online);
  if (before?.name === next.name) return;
  // Nobody will be led to them.
  if (before !== undefined && before.asOfMs > next.asOfMs) return clearParts(model, next, online);
  // Of two rows of one time the store keeps neither by age, so the pointer's time counts moments and not events.
  const eventTimeMs =
    before?.asOfMs === next.asOfMs ? (await pointerTime(model, online)) + 0.001 : next.asOfMs;
  await online.put(pointerView, [{ key: model, eventTimeMs, values: { ...next } }]);
  if (before !== undefined) await clearParts(model, before, online);
}

async function clearParts(model: string, which: Current, online: OnlineValues): Promise<void> {
  for (const part of Object.keys(which.buckets)) await online.clear(partView(model, which, part));
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
 * @param notBeforeMs an earlier moment will not do.
 * @throws {HeddleError} FAILED_PRECONDITION NOT_MATERIALISED; as `catchUp` of the online values.
 */
export async function readCurrent<T>(
  plan: DatasetPlan,
  online: OnlineValues,
  read: (current: Current) => Promise<T>,
  notBeforeMs = 0,
): Promise<T> {
  for (;;) {
    const current = await currentFor(plan, online, notBeforeMs);
    const [outcome] = await Promise.allSettled([read(current)]);
    if ((await currentOf(plan.model, online))?.name !== current.name) continue;
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  }
}

async function currentFor(
  plan: DatasetPlan,
  online: OnlineValues,
  notBeforeMs: number,
): Promise<Current> {
  const lacks = (current: Current | undefined): string | undefined => {
    if (current === undefined) return "not in the online store";
    if (current.features !== featuresName(plan)) return "there for another definition";
    if (current.asOfMs >= notBeforeMs) return undefined;
    return `there as of ${new Date(current.asOfMs).toISOString()}, and wanted as of ${new Date(notBeforeMs).toISOString()} or later`;
  };
  let current = await currentOf(plan.model, online);
  if (lacks(current) !== undefined) {
    // Another feature store may have written them, and they are on their way.
    await online.catchUp();
    current = await currentOf(plan.model, online);
  }
  const lacking = lacks(current);
  if (current !== undefined && lacking === undefined) return current;
  throw new HeddleError(
    "FAILED_PRECONDITION",
    "NOT_MATERIALISED",
    `the features of model ${plan.model} are ${lacking}: materialise them first`,
  );
}
