import type { Duckdb } from "../duckdb/duckdb.ts";
import { id } from "../duckdb/sql.ts";

/** A column beside a label of two values. */
export interface ToldBy {
  readonly column: string;
  /** SQL of a boolean, null where the label is not known. */
  readonly label: string;
  /** Whether its values are in an order, as numbers and times are. */
  readonly ordered: boolean;
  /** Whether each value stands for itself. */
  readonly byValue: boolean;
}

/**
 * How well one column tells a label, as the AUC of its best use: 1 as well as a copy of the label, 0.5 not at all. Values in an order
 * are taken by size, those that stand for themselves by their own share of positives; and it may be that a value is there at all which tells.
 */
export async function tellsLabel(
  db: Duckdb,
  table: string,
  { column, label, ordered, byValue }: ToldBy,
): Promise<number> {
  const rows = `select ${id(column)} as x, ${label} as positive from ${table} where ${label} is not null`;
  const share = `avg(positive::integer) over (partition by x)`;
  const scores = [
    `(x is not null)::integer`,
    ...(ordered ? ["x"] : []),
    ...(byValue ? [share] : []),
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
