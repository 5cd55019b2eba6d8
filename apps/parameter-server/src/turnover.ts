import type { ParameterTable, Turnover } from "@heddle/kernels";

/** What became of a shard's rows. */
export interface ShardTurnover extends Turnover {
  /** Ids that are counted for admission and have no row yet. */
  readonly counted: number;
}

/** That of all tables. */
export function turnoverOf(tables: Iterable<ParameterTable>): ShardTurnover {
  let [refused, expired, counted] = [0, 0, 0];
  for (const { turnover, counts } of tables) {
    refused += turnover.refused;
    expired += turnover.expired;
    counted += counts?.rows ?? 0;
  }
  return { refused, expired, counted };
}
