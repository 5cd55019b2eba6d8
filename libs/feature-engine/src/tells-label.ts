import type { Duckdb } from "./duckdb.ts";
import { id } from "./sql.ts";

/** A column beside a label of two values. */
export interface ToldBy {
  readonly column: string;
  /** SQL of a boolean, null where the label is not known. */
  readonly label: string;
  /** Numbers and times are in an order; of others each value stands for itself. */
  readonly ordered: boolean;
}

/** With fewer rows for each value, a value knows its rows by heart. */
const rowsPerValueMin = 10;

/**
 * How well one column tells a label, as the AUC of its best use: 1 as well as a copy of the label, 0.5 not at all. Values in an order
 * are taken by size, others by their own share of positives; and it may be that a value is there at all which tells.
 *
 * @param scan SQL of the table.
 */
export async function tellsLabel(
  db: Duckdb,
  scan: string,
  { column, label, ordered }: ToldBy,
): Promise<number> {
  const rows = `select ${id(column)} as x, ${label} as positive from ${scan} where ${label} is not null`;
  const share = `avg(positive::integer) over (partition by x)`;
  const [few] = await db.rows<{ few: boolean }>(
    `select count(distinct x) * ${rowsPerValueMin} <= count(*) as few from (${rows})`,
  );
  const scores = [
    `(x is not null)::integer`,
    ...(ordered ? ["x"] : []),
    ...(!ordered && few?.few === true ? [share] : []),
  ];
  let best = 0.5;
  for (const score of scores) {
    const auc = await aucOf(db, `select ${score} as score, positive from (${rows})`);
    best = Math.max(best, auc, 1 - auc);
  }
  return best;
}

/** @source Mann and Whitney, 1947: from the ranks of the positives, ties by their mean; rows without a score do not count. */
async function aucOf(db: Duckdb, scored: string): Promise<number> {
  const [found] = await db.rows<{ auc: number | null }>(`
    with ranked as (
      select positive, rank() over (order by score) + (count(*) over (partition by score) - 1) / 2 as place
      from (${scored}) where score is not null),
    counted as (select count(*) filter (positive) as p, count(*) filter (not positive) as n,
      sum(place) filter (positive) as places from ranked)
    select cast((places - p * (p + 1) / 2) / nullif(p * n, 0) as double) as auc from counted`);
  return found?.auc ?? 0.5;
}
