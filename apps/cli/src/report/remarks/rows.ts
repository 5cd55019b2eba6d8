import type { RowTurnover } from "@heddle/proto/registry";
import { count } from "../../output/numbers.ts";

/** The part of a training's summary that it is said from. */
interface Turned {
  readonly rows?: Omit<RowTurnover, "$typeName" | "$unknown"> | undefined;
}

/** What admission and expiry did to embedding rows; undefined where the definition has neither. */
export function rowsLine(training: Turned | undefined): string | undefined {
  if (training?.rows === undefined) return undefined;
  const { refused, expired, counted } = training.rows;
  return [
    `embedding rows: ${count(refused)} gradients dropped, whose ids had no row yet`,
    `${count(counted)} ids counted`,
    `${count(expired)} rows expired`,
  ].join(", ");
}
