import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Column } from "@heddle/transform";
import { type Aggregate, defineSource, type FeaturePlan, type SourceDefinition } from "@heddle/sdk";
import fc from "fast-check";
import {
  buildPartitions,
  datasetColumns,
  type DatasetPlan,
  type Duckdb,
  ingestFile,
  openDuckdb,
  readPartition,
  type SegmentFile,
} from "../index.ts";

const folder = mkdtempSync(join(tmpdir(), "heddle-as-of-"));
let db: Duckdb;
before(async () => {
  db = await openDuckdb({ threads: 2, memoryBytesMax: 256 << 20, tempFolder: folder });
});
after(async () => {
  await db[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const ownership = {
  owner: "o",
  licence: "l",
  lawfulBasis: "b",
  retentionDays: 1,
  jurisdiction: "EU",
  purposes: ["p"],
};
const events = defineSource({
  name: "events",
  ...ownership,
  columns: {
    id: "int64",
    k: "int64",
    g: "string",
    x: "int64",
    at: "timestamp",
    known: "timestamp",
  },
  eventId: ["id"],
  eventTime: "at",
  available: { rule: "column", column: "known" },
});
const asked = defineSource({
  name: "asked",
  ...ownership,
  columns: { id: "int64", k: "int64", g: "string", y: "boolean", at: "timestamp" },
  eventId: ["id"],
  eventTime: "at",
  available: { rule: "at-event" },
});

interface Event {
  readonly k: number;
  readonly g: string;
  readonly x: number | null;
  /** Hours. */
  readonly at: number;
  readonly known: number;
}
interface Asked {
  readonly k: number;
  readonly g: string;
  readonly y: boolean | null;
  readonly at: number;
}

const hour = 3_600_000;
const start = Date.UTC(2025, 0, 1);
const time = (hours: number): string =>
  new Date(start + hours * hour).toISOString().slice(0, 19).replace("T", " ");

const ops: readonly Aggregate[] = [
  { op: "count" },
  { op: "sum", column: "x" },
  { op: "count-distinct", column: "x" },
  { op: "latest", column: "x" },
  { op: "latest-time" },
];
const features: Record<string, FeaturePlan> = {};
for (const aggregate of ops) {
  for (const keys of [["k"], ["k", "g"]]) {
    for (const windowDays of [undefined, 1, 2]) {
      for (const positive of [false, true]) {
        features[`${aggregate.op} by ${keys.join(" ")} in ${windowDays} ${positive}`] = {
          from: "aggregate",
          source: "events",
          keys,
          aggregate,
          ...(windowDays === undefined ? {} : { windowDays }),
          ...(positive ? { where: [{ column: "x", is: ">", value: 0 }] } : {}),
          type: aggregate.op === "latest-time" ? "timestamp" : "int64",
        };
      }
    }
  }
}
features["own count"] = {
  from: "aggregate",
  source: "asked",
  keys: ["k"],
  aggregate: { op: "count" },
  type: "int64",
};

/** What a reader at that moment could have known: every event looked at, for every example. */
function slow(
  plan: FeaturePlan,
  example: Asked,
  all: readonly Event[],
  own: readonly Asked[],
): number | null {
  if (plan.from !== "aggregate") throw new Error(plan.from);
  if (plan.source === "asked")
    return own.filter((o) => o.k === example.k && o.at < example.at).length;
  const positive = plan.where !== undefined;
  const seen = all
    .map((e, id) => ({ ...e, id }))
    .filter((e) => e.k === example.k && (plan.keys.length === 1 || e.g === example.g))
    .filter((e) => e.known <= example.at && e.known > example.at - 24 * (plan.windowDays ?? 1e6))
    .filter((e) => !positive || (e.x ?? 0) > 0)
    .sort((a, b) => a.at - b.at || a.id - b.id);
  const last = seen.at(-1);
  switch (plan.aggregate.op) {
    case "count":
      return seen.length;
    case "sum":
      return seen.reduce((sum, e) => sum + (e.x ?? 0), 0);
    case "count-distinct":
      return new Set(seen.flatMap((e) => (e.x === null ? [] : [e.x]))).size;
    case "latest":
      return last?.x ?? null;
    case "latest-time":
      return last === undefined ? null : start + last.at * hour;
  }
}

let files = 0;
async function segment(source: SourceDefinition, rows: readonly string[]): Promise<SegmentFile[]> {
  if (rows.length === 0) return [];
  const path = join(folder, `${(files += 1)}.csv`);
  const target = join(folder, `${files}.parquet`);
  writeFileSync(path, [Object.keys(source.columns).join(","), ...rows].join("\n"));
  const task = {
    source,
    path,
    fileName: "f",
    format: "csv",
    nowMs: Date.UTC(2030),
    pseudonymKeyHex: "00",
    existing: [],
    target,
  } as const;
  const { segment: facts, events } = await ingestFile(db, task);
  const object = { name: target, bytes: statSync(target).size, sha256: "" };
  return [{ object, events, fileName: "f", ...facts! }];
}

const key = fc.integer({ min: 0, max: 2 });
const word = fc.constantFrom("a", "b");
const hours = fc.integer({ min: 0, max: 96 });
const eventList = fc.array(
  fc
    .record({
      k: key,
      g: word,
      x: fc.option(fc.integer({ min: -3, max: 3 })),
      at: hours,
      late: fc.integer({ min: 0, max: 30 }),
    })
    .map(({ late, ...e }): Event => ({ ...e, known: e.at + late })),
  { maxLength: 40 },
);
const askedList = fc.array(fc.record({ k: key, g: word, y: fc.option(fc.boolean()), at: hours }), {
  minLength: 1,
  maxLength: 12,
});

test("a feature is what a reader at that moment could have known", async () => {
  await fc.assert(
    fc.asyncProperty(eventList, askedList, async (all, own) => {
      const plan: DatasetPlan = {
        model: "m",
        use: "training",
        examples: { kind: "rows", source: "asked", label: "y" },
        partitioning: { by: "none" },
        features: Object.entries(features).map(([name, plan]) => ({ name, view: "v@1", plan })),
        slices: [],
        sources: {
          asked: {
            definition: asked,
            branch: "main",
            segments: await segment(
              asked,
              own.map((o, id) => `${id},${o.k},${o.g},${o.y ?? ""},${time(o.at)}`),
            ),
          },
          events: {
            definition: events,
            branch: "main",
            segments: await segment(
              events,
              all.map((e, id) => `${id},${e.k},${e.g},${e.x ?? ""},${time(e.at)},${time(e.known)}`),
            ),
          },
        },
      };
      const paths = new Map(
        Object.values(plan.sources).flatMap((s) =>
          s.segments.map((x) => [x.object.name, x.object.name] as const),
        ),
      );
      for await (const { path } of buildPartitions(db, plan, ["all"], paths, folder)) {
        const batch = await readPartition(path, datasetColumns(plan), { db });
        const order = own
          .map((o, id) => ({ ...o, id }))
          // What nobody labelled is no example, and still something that happened.
          .filter(({ y }) => y !== null)
          .sort((a, b) => a.at - b.at || a.id - b.id);
        for (const [name, feature] of Object.entries(features)) {
          const expected = order.map((example) => slow(feature, example, all, own));
          assert.deepEqual(valuesOf(batch.features[name]!), expected, name);
        }
        assert.deepEqual(
          [...batch.label],
          order.map((o) => Number(o.y)),
        );
      }
    }),
    {
      numRuns: 12,
      ...(process.env["HEDDLE_SEED"] === undefined
        ? {}
        : { seed: Number(process.env["HEDDLE_SEED"]) }),
    },
  );
});

function valuesOf(column: Column): (number | null)[] {
  if (column.type === "category") return [];
  const { values, valid } = column;
  return [...values].map((value, i) => (valid?.[i] === 0 ? null : value));
}
