import { HeddleError } from "@heddle/base";
import {
  aggregateGroups,
  aggregatePart,
  bucketKey,
  type DatasetPlan,
  exampleRowColumns,
  lookupGroups,
  lookupPart,
  offerColumns,
  offerKey,
  offersPart,
  pseudonymOf,
} from "@heddle/feature-engine";
import type { OnlineValues } from "@heddle/online";
import { refuse } from "../definitions/definition.ts";
import { invalid, parseExamples, type Row, type Scalar } from "./examples.ts";
import { type Current, partView } from "./materialise.ts";

const onlineRowsMax = 10_000;

export interface OnlineReader {
  readonly plan: DatasetPlan;
  readonly current: Current;
  readonly online: OnlineValues;
  readonly pseudonymKeyHex: string;
}

/**
 * Completes example rows with their features: subjects become pseudonyms, candidates are added when
 * asked for, lookups and aggregates are read from the online store.
 *
 * @throws {HeddleError} INVALID_ARGUMENT EXAMPLES_INVALID naming the column that is missing, or the row whose value has another type.
 */
export async function onlineFeatures(
  reader: OnlineReader,
  examplesJson: string,
  withCandidates: boolean,
): Promise<Row[]> {
  const given = parseExamples(examplesJson, reader.plan).map((row) => pseudonymised(row, reader));
  const rows = withCandidates ? await addCandidates(given, reader) : given;
  if (rows.length > onlineRowsMax) {
    throw invalid(`${rows.length} rows are more than ${onlineRowsMax}: ask in parts`);
  }
  addExampleFeatures(rows, reader.plan);
  await addLookups(rows, reader);
  await addAggregates(rows, reader);
  return rows;
}

function pseudonymised(row: Row, { plan, pseudonymKeyHex }: OnlineReader): Row {
  const subjects = new Map<string, "int64" | "string">();
  for (const { definition } of Object.values(plan.sources)) {
    const { subject, columns } = definition;
    if (subject !== undefined)
      subjects.set(subject, columns[subject] === "int64" ? "int64" : "string");
  }
  const changed = { ...row };
  for (const [column, type] of subjects) {
    const raw = row[column];
    if (raw !== undefined && raw !== null)
      changed[column] = String(pseudonymOf(pseudonymKeyHex, String(raw), type));
  }
  return changed;
}

/** Each visit meets the newest offers of its keys; a visit that names its partition meets only offers of that. */
async function addCandidates(visits: readonly Row[], reader: OnlineReader): Promise<Row[]> {
  const { plan } = reader;
  if (plan.examples.kind === "rows") throw refuse(`model ${plan.model} has no candidates to add`);
  const { on } = plan.examples.candidates;
  const columns = offerColumns(plan);
  const key = offerKey(plan);
  const rows: Row[] = [];
  for (const visit of visits) {
    const prefix = key.map((column) => text(visit, column));
    const found = await offersFor(prefix, reader);
    let met = 0;
    for (const values of found) {
      const offer = Object.fromEntries(columns.map((column, i) => [column, values[i] ?? null]));
      if (on.some((c) => visit[c] !== undefined && String(visit[c]) !== String(offer[c]))) continue;
      rows.push({ ...offer, ...visit });
      met += 1;
    }
    if (met === 0) {
      const asked = on.map((c) => `${c} ${JSON.stringify(visit[c] ?? "any")}`).join(", ");
      throw new HeddleError(
        "NOT_FOUND",
        "NO_CANDIDATES",
        `nothing is on offer for ${asked}, as of ${new Date(reader.current.asOfMs).toISOString()}: ask for another visit, or materialise anew`,
      );
    }
  }
  return rows;
}

async function offersFor(
  prefix: readonly string[],
  { plan, current, online }: OnlineReader,
): Promise<Scalar[][]> {
  const buckets = current.buckets[offersPart] ?? 0;
  const view = partView(plan.model, current, offersPart);
  const first = prefix[0] ?? "";
  const names = Array.from({ length: buckets }, (_, i) => `${i}/${first}`);
  const rows = await online.get(view, names);
  return rows.flatMap((row) =>
    Object.entries(row?.values ?? {}).flatMap(([entry, values]) => {
      const rest = JSON.parse(entry) as string[];
      return prefix.slice(1).every((value, i) => rest[i] === value) ? [values as Scalar[]] : [];
    }),
  );
}

function addExampleFeatures(rows: readonly Row[], plan: DatasetPlan): void {
  const own = [...exampleRowColumns(plan).keys()];
  for (const { name, plan: feature } of plan.features) {
    if (feature.from !== "example" || !own.includes(feature.column)) continue;
    for (const row of rows) row[name] = typed(row[feature.column] ?? null, feature.type);
  }
}

async function addLookups(rows: readonly Row[], reader: OnlineReader): Promise<void> {
  const waiting = [...lookupGroups(reader.plan)];
  const lookups = new Set(waiting.flatMap((group) => group.features.map(({ name }) => name)));
  const own = exampleRowColumns(reader.plan);
  const done = new Set<string>();
  while (waiting.length > 0) {
    const at = waiting.findIndex(({ keys }) =>
      keys.every((k) => own.has(k) || !lookups.has(k) || done.has(k)),
    );
    const [group] = waiting.splice(Math.max(at, 0), 1);
    if (group === undefined) return;
    const values = await readPart(lookupPart(group), rows, group.keys, reader);
    rows.forEach((row, i) =>
      group.features.forEach(({ name, plan }, f) => {
        row[name] = typed(values[i]?.[f] ?? null, plan.type);
      }),
    );
    group.features.forEach(({ name }) => done.add(name));
  }
}

async function addAggregates(rows: readonly Row[], reader: OnlineReader): Promise<void> {
  for (const group of aggregateGroups(reader.plan)) {
    const values = await readPart(aggregatePart(group), rows, group.keys, reader);
    rows.forEach((row, i) =>
      group.features.forEach(({ name, plan }, f) => {
        const { op } = plan.aggregate;
        const ofNothing = op === "latest" || op === "latest-time" ? null : 0;
        row[name] = typed(values[i]?.[f] ?? ofNothing, plan.type);
      }),
    );
  }
}

/** The values of a part for each row's key; undefined where there are none. */
async function readPart(
  part: string,
  rows: readonly Row[],
  keys: readonly string[],
  { plan, current, online }: OnlineReader,
): Promise<(Scalar[] | undefined)[]> {
  const buckets = current.buckets[part] ?? 0;
  if (buckets === 0) return rows.map(() => undefined);
  const places = rows.map((row) => {
    const key = keys.map((column) => text(row, column));
    const known = keys.every((column) => row[column] !== null);
    return known ? bucketKey(key, buckets) : undefined;
  });
  const names = [...new Set(places.flatMap((place) => (place === undefined ? [] : [place.row])))];
  const found = await online.get(partView(plan.model, current, part), names);
  const byName = new Map(names.map((name, i) => [name, found[i]?.values]));
  return places.map(
    (place) => place && (byName.get(place.row)?.[place.entry] as Scalar[] | undefined),
  );
}

function text(row: Row, column: string): string {
  const value = row[column];
  if (value !== undefined) return String(value);
  throw invalid(`a row lacks "${column}", which a feature is found by`);
}

/** A whole number may come as text, for JSON has none above 2^53. */
function typed(value: Scalar, type: string): Scalar {
  if (value === null) return value;
  if (type === "category") return String(value);
  const isNumber = type === "int64" || type === "float64";
  return isNumber && typeof value === "string" ? Number(value) : value;
}
