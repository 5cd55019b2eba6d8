import type { FeaturePlan } from "@heddle/sdk";
import type { Duckdb } from "./duckdb.ts";
import { type LookupGroup, lookupGroups, lookupKey } from "./assemble.ts";
import { type DatasetPlan, exampleRowColumns, type PlannedFeature } from "./plan.ts";
import { referenceOf } from "./sources.ts";
import { id, text } from "./sql.ts";

/** Key of the Parquet metadata that holds the dictionaries: category column → its values, sorted. */
export const dictionariesKey = "heddle.dictionaries";

/**
 * Writes one partition: rows in order, categories as codes into a dictionary of the partition's own
 * values (sorted as UTF-8, kept in the file's metadata; −1 is null), times in milliseconds.
 *
 * @param part which visits are the partition's, and SQL that yields its rows of what `assemble` made.
 */
export async function writePartition(
  db: Duckdb,
  plan: DatasetPlan,
  part: Part,
  target: string,
): Promise<void> {
  const { rows } = part;
  const dictionaries: Record<string, string[]> = {};
  const columns = new Map<string, string>();
  const joins: string[] = [];
  const made: string[] = [];
  const dictionary = async (feature: string, values: string): Promise<string> => {
    const table = id(`dictionary ${feature}`);
    made.push(table);
    await db.run(`create or replace temp table ${table} as
      select value, cast(value as varchar) as word, cast(row_number() over (order by word) - 1 as integer) as code
      from (${values})`);
    dictionaries[feature] = await db.texts(`select word from ${table} order by code`);
    return table;
  };
  for (const group of lookupGroups(plan)) {
    made.push(await makeLookup(db, plan, group, part, dictionary));
    const on = group.keys.map((_, i) => `l${group.index}.k${i} = r.${id(lookupKey(group, i))}`);
    joins.push(`left join ${lookupTable(group)} l${group.index} on ${on.join(" and ")}`);
    for (const { name, plan } of group.features) {
      const value = `l${group.index}.${id(name)}`;
      columns.set(name, plan.type === "category" ? `coalesce(${value}, -1)` : value);
    }
  }
  for (const { name, plan: feature } of plan.features) {
    if (feature.from === "lookup") continue;
    if (feature.type !== "category") columns.set(name, stored(`r.${id(name)}`, feature.type));
    else {
      const own = distinctValues(plan, name, feature, part);
      const table = await dictionary(name, own);
      const alias = `d${joins.length}`;
      joins.push(`left join ${table} ${alias} on ${alias}.value = r.${id(name)}`);
      columns.set(name, `coalesce(${alias}.code, -1)`);
    }
  }
  const features = plan.features.map(({ name }) => `${columns.get(name)} as ${id(name)}`);
  const metadata = `{${text(dictionariesKey)}: ${text(JSON.stringify(dictionaries))}}`;
  await db.run(`copy (select ${features.concat(exampleValues).join(", ")} from (${rows}) r ${joins.join("\n")}
    order by r.heddle_n) to ${text(target)} (format parquet, compression zstd, kv_metadata ${metadata})`);
  for (const table of made) await db.run(`drop table ${table}`);
}

/** A partition's share of the examples. */
export interface Part {
  /** Its first and last visit. */
  readonly low: bigint;
  readonly high: bigint;
  /** Its rows of what `assemble` made, as SQL. */
  readonly rows: string;
}

/** Visits count from 0 in their partition. */
const exampleValues = [
  "cast(r.heddle_visit as integer) as visit",
  "cast(epoch_ms(r.heddle_time) as bigint) as example_time",
  "r.heddle_label as label",
  "r.heddle_weight as weight",
];

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

/** The distinct values of a category, found in the smallest table that has them all. */
function distinctValues(plan: DatasetPlan, name: string, feature: FeaturePlan, part: Part): string {
  const [column, from] =
    feature.from === "example"
      ? [id(feature.column), ownTable(plan, feature.column, part)]
      : [id(name), `(${part.rows})`];
  return `select distinct ${column} as value from ${from} where ${column} is not null`;
}

/** The distinct keys of a lookup. */
function distinctKeys(plan: DatasetPlan, group: LookupGroup, part: Part): string {
  const [key] = group.keys;
  if (group.keys.length === 1 && key !== undefined && exampleRowColumns(plan).has(key)) {
    return `select distinct ${id(key)} as k0 from ${ownTable(plan, key, part)}`;
  }
  const keys = group.keys.map((_, i) => `${id(lookupKey(group, i))} as k${i}`);
  return `select distinct ${keys.join(", ")} from (${part.rows})`;
}

/** The rows of the partition that have a column of the example: its visits are fewer than its examples. */
function ownTable(plan: DatasetPlan, column: string, { low, high }: Part): string {
  const { examples } = plan;
  const ofItem = examples.kind === "candidates" && examples.candidates.item === column;
  const table = exampleRowColumns(plan).get(column) === "visit" && !ofItem ? "visits" : "examples";
  return `(from ${table} where v between ${low} and ${high})`;
}

const lookupTable = (group: LookupGroup): string => id(`lookup ${group.index}`);

/** The reference's rows that the partition needs, with codes for categories. */
async function makeLookup(
  db: Duckdb,
  plan: DatasetPlan,
  group: LookupGroup,
  part: Part,
  dictionary: (feature: string, values: string) => Promise<string>,
): Promise<string> {
  const same = group.keys.map((key, i) => `w.k${i} = s.${id(key)}`).join(" and ");
  const raw = id(`rows of lookup ${group.index}`);
  await db.run(`create or replace temp table ${raw} as
    select s.* from ${referenceOf(group.source)} s semi join (${distinctKeys(plan, group, part)}) w on ${same}`);
  const columns = group.keys.map((key, i) => `s.${id(key)} as k${i}`);
  const joins: string[] = [];
  for (const { name, plan } of group.features) {
    if (plan.from !== "lookup") continue;
    const value = `s.${id(plan.column)}`;
    if (plan.type !== "category") columns.push(`${stored(value, plan.type)} as ${id(name)}`);
    else {
      const own = `select distinct ${value} as value from ${raw} s where ${value} is not null`;
      const table = await dictionary(name, own);
      const alias = `d${joins.length}`;
      joins.push(`left join ${table} ${alias} on ${alias}.value = ${value}`);
      columns.push(`${alias}.code as ${id(name)}`);
    }
  }
  await db.run(`create or replace temp table ${lookupTable(group)} as
    select ${columns.join(", ")} from ${raw} s ${joins.join("\n")}`);
  await db.run(`drop table ${raw}`);
  return lookupTable(group);
}
