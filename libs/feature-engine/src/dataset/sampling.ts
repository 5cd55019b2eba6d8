import type { Examples } from "@heddle/sdk";
import type { Duckdb } from "../duckdb/duckdb.ts";
import { hashRange, keyHash, pairHash } from "./hash.ts";
import { availableColumn, equal, id } from "../duckdb/sql.ts";

type Candidates = Extract<Examples, { kind: "candidates" }>;

/**
 * Fills `examples` with every offer of every visit.
 *
 * @param payload columns of the offer that examples carry beside its item.
 */
export async function pairAll(
  db: Duckdb,
  { candidates }: Candidates,
  payload: readonly string[],
): Promise<void> {
  const item = id(candidates.item);
  await db.run(`create or replace temp table examples as
    select v.v, o.${item}${columns(payload, "o")},
      cast(p.v is not null as utinyint) as label, cast(1 as float) as weight
    from offers o join visits v on ${equal(candidates.on, "o", "v")} and o.${availableColumn} <= v.time
    left join positives p on p.v = v.v and p.${item} = o.${item}`);
}

/**
 * Fills `examples` with the taken offers, and of each visit's others with those of least hash; a
 * negative's weight is how many it stands for.
 */
export async function pairSampled(
  db: Duckdb,
  examples: Candidates,
  payload: readonly string[],
): Promise<void> {
  const item = id(examples.candidates.item);
  const { perVisit } = examples.negatives;
  await makeDraws(db, examples);
  await db.run(`create or replace temp table item_hashes as
    select ${item}, ${keyHash(0, [examples.candidates.item], "o")} as hash
    from (select distinct ${item} from offers where ${item} is not null) o`);
  await db.run(
    `create or replace temp table drawn as ${pairsBelow(examples, payload, "v.below", "true")}`,
  );
  await drawShortAgain(db, examples, payload);
  const kept = ["v", item, ...payload.map(id)].join(", ");
  await db.run(`create or replace temp table examples as
    from (
      select ${kept}, cast(1 as utinyint) as label, cast(1 as float) as weight from positives
      union all
      select ${kept}, cast(0 as utinyint), cast((offered - taken) / least(${perVisit}, offered - taken) as float)
      from (from drawn qualify row_number() over (partition by v order by hash, ${item}) <= ${perVisit})
      join draws using (v))`);
  for (const table of ["draws", "item_hashes", "drawn"]) await db.run(`drop table ${table}`);
}

/**
 * `draws`: for each visit its hash, how many were offered and taken, and the hash below which enough
 * negatives lie. Ranking all pairs would sort a hundred million rows of a year of the grocer.
 */
async function makeDraws(db: Duckdb, { visits, candidates, negatives }: Candidates): Promise<void> {
  const on = candidates.on.map(id).join(", ");
  const expected = Math.ceil(negatives.perVisit + 8 * Math.sqrt(negatives.perVisit) + 16);
  await db.run(`create or replace temp table draws as
    with offered as (
      select ${on}, ${availableColumn} as known,
        sum(count(*)) over (partition by ${on} order by ${availableColumn}) as offered
      from offers group by ${on}, ${availableColumn}),
    taken as (select v, count(*) as taken from positives group by v)
    select cast(v.v as integer) as v, v.time, ${candidates.on.map((c) => `v.${id(c)}`).join(", ")}, t.taken,
      cast(dense_rank() over (order by ${candidates.on.map((c) => `v.${id(c)}`).join(", ")}) as integer) as meeting, cast(o.offered as bigint) as offered,
      ${keyHash(negatives.seed, visits.keys, "v")} as hash,
      cast(ceil(${hashRange}.0 * ${expected} / greatest(o.offered - t.taken, 1)) as bigint) as below
    from visits v join taken t on t.v = v.v
    asof join offered o on ${equal(candidates.on, "v", "o")} and v.time >= o.known`);
}

/**
 * Pairs of a visit and an offer not taken, with their hash. The pairs are many, so what joins them is
 * one small number, and the little they carry is looked at before anything else is.
 */
function pairsBelow(
  { candidates }: Candidates,
  payload: readonly string[],
  below: string,
  which: string,
): string {
  const item = id(candidates.item);
  const { on } = candidates;
  return `with meetings as (select distinct ${on.map(id).join(", ")}, meeting from draws),
    met as (
      select m.meeting, i.hash as item_hash, o.${item}${columns(payload, "o")}, o.${availableColumn} as known
      from offers o join meetings m on ${equal(on, "o", "m")} join item_hashes i on i.${item} = o.${item}),
    pairs as (
      select v.v, ${pairHash("v.hash", "o.item_hash")} as hash, o.*
      from met o join draws v on v.meeting = o.meeting
      where ${which} and ${pairHash("v.hash", "o.item_hash")} < ${below})
    select p.v, p.${item}${columns(payload, "p")}, p.hash from pairs p
    join draws d on d.v = p.v and p.known <= d.time
    anti join positives t on t.v = p.v and t.${item} = p.${item}`;
}

/** A visit whose draw left it short, once in a billion, draws from all it was offered. */
async function drawShortAgain(
  db: Duckdb,
  examples: Candidates,
  payload: readonly string[],
): Promise<void> {
  const { perVisit } = examples.negatives;
  await db.run(`create or replace temp table short as select d.v from draws d
    left join (select v, count(*) as got from drawn group by v) g on g.v = d.v
    where coalesce(g.got, 0) < least(${perVisit}, d.offered - d.taken)`);
  if ((await db.count("select count(*) from short")) > 0) {
    await db.run("delete from drawn where v in (from short)");
    const all = pairsBelow(examples, payload, String(hashRange), "v.v in (from short)");
    await db.run(`insert into drawn ${all}`);
  }
  await db.run("drop table short");
}

const columns = (names: readonly string[], table: string): string =>
  names.map((c) => `, ${table}.${id(c)}`).join("");
