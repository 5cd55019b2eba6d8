import type { Duckdb } from "../duckdb/duckdb.ts";
import {
  type Half,
  halfWith,
  type LookupGroup,
  lookupGroups,
  lookupKey,
} from "../features/assemble.ts";
import { type DatasetPlan, exampleRowColumns, type PlannedFeature } from "../plan.ts";
import { referenceOf } from "../duckdb/sources.ts";
import { id, text } from "../duckdb/sql.ts";

/** Key of the Parquet metadata that holds the dictionaries: category column → its values, sorted. */
export const dictionariesKey = "heddle.dictionaries";

/** A partition's share of the examples. */
export interface Part {
  /** Its first and last visit. */
  readonly low: bigint;
  readonly high: bigint;
  /** Its rows of what `assemble` made, as SQL. */
  readonly rows: string;
}

/** Rows `r` that gather columns, by feature, with the joins that these need. */
interface Gathered {
  readonly from: string;
  readonly columns: Map<string, string>;
  readonly joins: string[];
}

/** One partition's encoding under way. */
interface Encoding {
  readonly db: Duckdb;
  readonly plan: DatasetPlan;
  readonly part: Part;
  readonly rows: Gathered;
  readonly halves: Readonly<Record<Half, Gathered>>;
  readonly dictionaries: Record<string, string[]>;
  /** Tables to drop at the end. */
  readonly made: string[];
}

/**
 * Writes one partition: rows in order, categories as codes into a dictionary of the partition's own
 * values (sorted as UTF-8, kept in the file's metadata; −1 is null), times in milliseconds.
 *
 * What a visit or an item has alone is gathered once for each of them: a row then needs one join for
 * all of it, and a ranking partition has thousands of rows a visit.
 *
 * @param part which visits are the partition's, and SQL that yields its rows of what `assemble` made.
 */
export async function writePartition(
  db: Duckdb,
  plan: DatasetPlan,
  part: Part,
  target: string,
): Promise<void> {
  const encoding: Encoding = {
    db,
    plan,
    part,
    rows: gathered(part.rows),
    halves: {
      visit: gathered(visitsOf(part)),
      item: gathered(`(from ${id("items of partition")})`),
    },
    dictionaries: {},
    made: [],
  };
  if (plan.examples.kind === "candidates") {
    const item = id(plan.examples.candidates.item);
    await make(encoding, "items of partition", `select distinct ${item} from ${examplesOf(part)}`);
  }
  for (const group of lookupGroups(plan)) await gatherLookup(encoding, group);
  for (const feature of plan.features) await gatherOwn(encoding, feature);
  await joinHalves(encoding);
  const { rows, dictionaries, made } = encoding;
  const features = plan.features.map(({ name, plan: { type } }) => {
    const value = rows.columns.get(name);
    return `${type === "category" ? `coalesce(${value}, -1)` : value} as ${id(name)}`;
  });
  const metadata = `{${text(dictionariesKey)}: ${text(JSON.stringify(dictionaries))}}`;
  await db.run(`copy (select ${features.concat(exampleValues).join(", ")}
    from (${rows.from}) r ${rows.joins.join("\n")} order by ${orderOf(plan)})
    to ${text(target)} (format parquet, compression lz4_raw, kv_metadata ${metadata})`);
  for (const table of made) await db.run(`drop table ${table}`);
}

/** Visits count from 0 in their partition. */
const exampleValues = [
  "cast(r.heddle_visit as integer) as visit",
  "cast(epoch_ms(r.heddle_time) as bigint) as example_time",
  "r.heddle_label as label",
  "r.heddle_weight as weight",
];

/** A partition's rows lie in the order of visits, then items. */
const orderOf = ({ examples }: DatasetPlan): string =>
  examples.kind === "candidates" ? "r.heddle_v, r.heddle_item" : "r.heddle_v";

const gathered = (from: string): Gathered => ({ from, columns: new Map(), joins: [] });

const visitsOf = ({ low, high }: Part): string =>
  `(from visits where v between ${low} and ${high})`;
const examplesOf = ({ low, high }: Part): string =>
  `(from examples where v between ${low} and ${high})`;

/** Joins a table to rows; `on` says on what, of the table's alias. */
function join(to: Gathered, table: string, on: (alias: string) => readonly string[]): string {
  const alias = `j${to.joins.length}`;
  to.joins.push(`left join ${table} ${alias} on ${on(alias).join(" and ")}`);
  return alias;
}

/** Makes a table that lasts until the partition is written. */
async function make({ db, made }: Encoding, name: string, rows: string): Promise<string> {
  await db.run(`create or replace temp table ${id(name)} as ${rows}`);
  made.push(id(name));
  return id(name);
}

async function makeDictionary(
  encoding: Encoding,
  feature: string,
  values: string,
): Promise<string> {
  const table = await make(
    encoding,
    `dictionary ${feature}`,
    `select value, cast(value as varchar) as word, cast(row_number() over (order by word) - 1 as integer) as code
    from (select distinct value from (${values}) where value is not null)`,
  );
  const words = await encoding.db.texts(`select word from ${table} order by code`);
  encoding.dictionaries[feature] = words;
  return table;
}

/** Adds the columns of a lookup, from the reference's rows that the partition needs. */
async function gatherLookup(encoding: Encoding, group: LookupGroup): Promise<void> {
  const half = halfWith(encoding.plan, group.keys);
  const to = half === undefined ? encoding.rows : encoding.halves[half];
  const own = half === undefined ? group.keys.map((_, i) => lookupKey(group, i)) : group.keys;
  const distinct = distinctKeys(encoding, group, to, own);
  const same = group.keys.map((key, i) => `w.k${i} = s.${id(key)}`).join(" and ");
  const raw = await make(
    encoding,
    `rows of lookup ${group.index}`,
    `select s.* from ${referenceOf(group.source)} s semi join (${distinct}) w on ${same}`,
  );
  const coded = gathered(raw);
  for (const { name, plan } of group.features) {
    if (plan.from !== "lookup") continue;
    const value = `r.${id(plan.column)}`;
    if (plan.type !== "category") coded.columns.set(name, stored(value, plan.type));
    else {
      const values = `select ${id(plan.column)} as value from ${raw}`;
      const dictionary = await makeDictionary(encoding, name, values);
      const alias = join(coded, dictionary, (d) => [`${d}.value = ${value}`]);
      coded.columns.set(name, `${alias}.code`);
    }
  }
  const keys = group.keys.map((key, i) => `r.${id(key)} as k${i}`);
  const table = await make(encoding, `lookup ${group.index}`, selected(coded, keys));
  const alias = join(to, table, (l) => own.map((key, i) => `${l}.k${i} = r.${id(key)}`));
  for (const { name } of group.features) to.columns.set(name, `${alias}.${id(name)}`);
}

/** Adds the column of an example or aggregate feature. */
async function gatherOwn(
  encoding: Encoding,
  { name, plan: feature }: PlannedFeature,
): Promise<void> {
  if (feature.from === "lookup") return;
  const column = feature.from === "example" ? feature.column : undefined;
  const half = column === undefined ? undefined : halfWith(encoding.plan, [column]);
  const to = half === undefined ? encoding.rows : encoding.halves[half];
  const own = half === undefined || column === undefined ? id(name) : id(column);
  if (feature.type !== "category") {
    to.columns.set(name, stored(`r.${own}`, feature.type));
    return;
  }
  const values =
    half !== undefined || column === undefined
      ? `select ${own} as value from (${to.from})`
      : `select ${id(column)} as value from ${ownTable(encoding, column)}`;
  const dictionary = await makeDictionary(encoding, name, values);
  const alias = join(to, dictionary, (d) => [`${d}.value = r.${own}`]);
  to.columns.set(name, `${alias}.code`);
}

/** Joins what was gathered of visits and items to the rows. */
async function joinHalves(encoding: Encoding): Promise<void> {
  const { rows, halves, plan } = encoding;
  if (plan.examples.kind === "rows") return;
  const keys = {
    visit: ["v", "heddle_v"],
    item: [plan.examples.candidates.item, "heddle_item"],
  } as const;
  for (const half of ["visit", "item"] as const) {
    const [key, ofRow] = keys[half];
    if (halves[half].columns.size === 0) continue;
    const coded = selected(halves[half], [`r.${id(key)} as heddle_key`]);
    const table = await make(encoding, `columns of ${half}`, coded);
    const alias = join(rows, table, (h) => [`${h}.heddle_key = r.${id(ofRow)}`]);
    for (const name of halves[half].columns.keys()) rows.columns.set(name, `${alias}.${id(name)}`);
  }
}

const selected = ({ from, columns, joins }: Gathered, keys: readonly string[]): string =>
  `select ${[...keys, ...[...columns].map(([name, value]) => `${value} as ${id(name)}`)].join(", ")}
  from ${from} r ${joins.join("\n")}`;

function stored(value: string, type: PlannedFeature["plan"]["type"]): string {
  switch (type) {
    case "int64":
      return `cast(${value} as bigint)`;
    case "float64":
      return `cast(${value} as double)`;
    case "timestamp":
      return `epoch_ms(${value})`;
    default:
      return value;
  }
}

/** The distinct keys of a lookup, found in the smallest table that has them all. */
function distinctKeys(
  encoding: Encoding,
  group: LookupGroup,
  to: Gathered,
  own: readonly string[],
): string {
  const [key] = group.keys;
  const single = group.keys.length === 1 && key !== undefined;
  if (to === encoding.rows && single && exampleRowColumns(encoding.plan).has(key))
    return `select distinct ${id(key)} as k0 from ${ownTable(encoding, key)}`;
  return `select distinct ${own.map((k, i) => `${id(k)} as k${i}`).join(", ")} from (${to.from})`;
}

/** The rows of the partition that have a column of the example: its visits are fewer than its examples. */
function ownTable({ plan, part }: Encoding, column: string): string {
  const { examples } = plan;
  const ofItem = examples.kind === "candidates" && examples.candidates.item === column;
  const ofVisit = exampleRowColumns(plan).get(column) === "visit" && !ofItem;
  return ofVisit ? visitsOf(part) : examplesOf(part);
}
