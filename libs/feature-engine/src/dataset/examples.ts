import { HeddleError, present } from "@heddle/base";
import type { Examples } from "@heddle/sdk";
import type { Duckdb } from "../duckdb/duckdb.ts";
import { hashRange, keyHash } from "./hash.ts";
import { type DatasetPlan, exampleRowColumns } from "../plan.ts";
import { exampleSegments, offerSegments } from "./prune.ts";
import { pairAll, pairSampled } from "./sampling.ts";
import { emptyRows, type Paths } from "../duckdb/sources.ts";
import { availableColumn, equal, id, parquetFiles, text } from "../duckdb/sql.ts";

type Candidates = Extract<Examples, { kind: "candidates" }>;
type Rows = Extract<Examples, { kind: "rows" }>;

/**
 * Makes the examples of some partitions, in two tables:
 * `visits` (v, partition, time, the visit's columns), v counting in order of partition and keys, and
 * `examples` (v, item columns, label, weight).
 *
 * @param needed columns of the example row that features or keys read.
 */
export async function makeExamples(
  db: Duckdb,
  plan: DatasetPlan,
  partitions: readonly string[],
  needed: ReadonlySet<string>,
  paths: Paths,
): Promise<void> {
  const { examples } = plan;
  if (examples.kind === "rows") await makeRows(db, plan, examples, partitions, needed, paths);
  else await makeCandidates(db, plan, examples, partitions, needed, paths);
}

/** Each event whose label is known is a visit with one example. */
async function makeRows(
  db: Duckdb,
  plan: DatasetPlan,
  examples: Rows,
  partitions: readonly string[],
  needed: ReadonlySet<string>,
  paths: Paths,
): Promise<void> {
  const { eventTime, eventId } = present(plan.sources[examples.source], examples.source).definition;
  const columns = [...exampleRowColumns(plan).keys()].filter((c) => needed.has(c));
  const time = eventTime === undefined ? "timestamp '1970-01-01'" : `e.${id(eventTime)}`;
  const order = [...(eventTime === undefined ? [] : [eventTime]), ...eventId];
  await db.run(`create or replace temp table visits as
    select row_number() over (order by partition, ${order.map((c) => `e.${id(c)}`).join(", ")}) as v, partition,
      ${time} as time, e.${id(examples.label)} as label${columns.map((c) => `, e.${id(c)}`).join("")}
    from (${partitioned(plan, examples.source, partitions, paths)}) e
    where e.${id(examples.label)} is not null and ${held(plan, examples)}`);
  await checkLabels(db, examples);
  await db.run(`create or replace temp table examples as
    select v, cast(label as utinyint) as label, cast(1 as float) as weight
    from visits order by v`);
}

/** A boolean is 0 or 1, too. */
async function checkLabels(db: Duckdb, { source, label }: Rows): Promise<void> {
  const [other] = await db.rows<{ value: string }>(
    "select cast(label as varchar) as value from visits where cast(label as double) not in (0, 1) limit 1",
  );
  if (other === undefined) return;
  throw new HeddleError(
    "FAILED_PRECONDITION",
    "LABEL_NOT_BINARY",
    `source ${source} has the label ${other.value} in "${label}": a label is 0 or 1, true or false, or empty where it is not known; ingest the events with such a column, under a source of a new name`,
  );
}

/** Which rows of unpartitioned data are held out for evaluation, by a stable hash of the event id. */
function held({ use, sources }: DatasetPlan, { source, holdoutShare }: Rows): string {
  if (holdoutShare === undefined) return "true";
  const { eventId } = present(sources[source], source).definition;
  const below = Math.round(holdoutShare * hashRange);
  return `${keyHash(0, eventId, "e")} ${use === "training" ? ">=" : "<"} ${below}`;
}

/** Events of the example source that lie in the partitions, with `partition` as its position. */
function partitioned(
  plan: DatasetPlan,
  source: string,
  partitions: readonly string[],
  paths: Paths,
): string {
  const { definition, segments } = present(plan.sources[source], source);
  const { partitioning } = plan;
  const read = new Set(partitions.flatMap((p) => exampleSegments(segments, partitioning, p)));
  if (read.size === 0)
    return `select *, 0 as partition from ${emptyRows(present(plan.sources[source], source).definition)}`;
  const files = parquetFiles(
    [...read].map((s) => present(paths.get(s.object.name), s.object.name)),
  );
  if (partitioning.by === "none") return `select *, 0 as partition from ${files}`;
  if (partitioning.by === "log") {
    // A window is a segment, so its rows need no column that says so.
    const position = new Map(partitions.map((partition, i) => [Number(partition), i]));
    return [...read]
      .map(({ object, window }) => {
        const at = present(position.get(present(window, "a window").number), "its position");
        const file = parquetFiles([present(paths.get(object.name), object.name)]);
        return `select *, ${at} as partition from ${file}`;
      })
      .join(" union all ");
  }
  const value =
    partitioning.by === "column"
      ? `cast(${id(partitioning.column)} as varchar)`
      : `strftime(date_trunc('${partitioning.unit}', ${id(definition.eventTime ?? "")}), '${partitioning.unit === "month" ? "%Y-%m" : "%Y-%m-%d"}')`;
  const wanted = `(values ${partitions.map((p, i) => `(${text(p)}, ${i})`).join(", ")}) p(value, partition)`;
  return `select e.*, p.partition from ${files} e join ${wanted} on ${value} = p.value`;
}

async function makeCandidates(
  db: Duckdb,
  plan: DatasetPlan,
  examples: Candidates,
  partitions: readonly string[],
  needed: ReadonlySet<string>,
  paths: Paths,
): Promise<void> {
  const { keys, source } = examples.visits;
  const { on, item } = examples.candidates;
  const time = present(plan.sources[source]?.definition.eventTime, `event time of ${source}`);
  const keyList = keys.map(id).join(", ");
  const complete = keys.map((k) => `${id(k)} is not null`).join(" and ");
  await db.run(`create or replace temp table taken as
    select partition, ${keyList}, ${id(item)}, min(${id(time)}) as first_time
    from (${partitioned(plan, source, partitions, paths)}) where ${complete} group by all`);
  await db.run(`create or replace temp table every_visit as
    select partition, ${keyList}, min(first_time) as time from taken group by all`);
  const payload = payloadColumns(plan, needed);
  await db.run(`create or replace temp view offers as
    select ${[...new Set([...on, item, ...payload])].map(id).join(", ")}, ${availableColumn}
    from ${offerFiles(plan, examples, partitions, paths)}`);
  await db.run(`create or replace temp table taken_offers as
    select distinct t.${keys.map(id).join(", t.")}, t.${id(item)}${payload.map((c) => `, o.${id(c)}`).join("")}
    from taken t join every_visit v on ${equal(keys, "t", "v")}
    join offers o on ${equal([...on, item], "o", "t")} and o.${availableColumn} <= v.time`);
  await db.run(`create or replace temp table visits as
    select row_number() over (order by partition, ${keyList}) as v, partition, time, ${keyList}
    from (${chosenVisits(plan, examples)}) order by v`);
  await db.run(`create or replace temp table positives as
    select v.v, p.${id(item)}${payload.map((c) => `, p.${id(c)}`).join("")} from taken_offers p join visits v on ${equal(keys, "p", "v")}`);
  if (plan.use === "ranking") await pairAll(db, examples, payload);
  else await pairSampled(db, examples, payload);
  for (const table of ["taken", "every_visit", "taken_offers", "positives"])
    await db.run(`drop table ${table}`);
}

/** Visits with at least one taken offer; for ranking, at most so many of a partition, those of least hash. */
function chosenVisits({ use }: DatasetPlan, { visits, ranking }: Candidates): string {
  const all = `select v.* from every_visit v semi join taken_offers p on ${equal(visits.keys, "v", "p")}`;
  if (use !== "ranking") return all;
  const order = `${keyHash(ranking.seed, visits.keys, "v")}, ${visits.keys.map(id).join(", ")}`;
  return `from (${all}) v qualify row_number() over (partition by v.partition order by ${order}) <= ${ranking.visitsMax}`;
}

/** Columns of the candidates' source that examples carry beside visit keys and item. */
function payloadColumns(plan: DatasetPlan, needed: ReadonlySet<string>): string[] {
  const { examples } = plan;
  if (examples.kind === "rows") return [];
  return [...exampleRowColumns(plan)]
    .filter(([c, side]) => side === "candidate" && needed.has(c) && c !== examples.candidates.item)
    .map(([c]) => c);
}

function offerFiles(
  plan: DatasetPlan,
  { candidates }: Candidates,
  partitions: readonly string[],
  paths: Paths,
): string {
  const { segments } = present(plan.sources[candidates.source], candidates.source);
  const read = new Set(partitions.flatMap((p) => offerSegments(segments, plan, p)));
  if (read.size === 0)
    return emptyRows(present(plan.sources[candidates.source], candidates.source).definition);
  return parquetFiles([...read].map((s) => present(paths.get(s.object.name), s.object.name)));
}
