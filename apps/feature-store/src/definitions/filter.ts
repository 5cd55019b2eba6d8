import { utcMs } from "@heddle/base";
import type { ColumnType, Filter } from "@heddle/sdk";
import { refuse } from "./definition.ts";

type Value = Filter[number]["value"];

const comparable: Readonly<Record<ColumnType, (value: Value) => boolean>> = {
  int64: (value) => typeof value === "number",
  float64: (value) => typeof value === "number",
  string: (value) => typeof value === "string",
  boolean: (value) => typeof value === "boolean",
  timestamp: (value) => typeof value === "string" && Number.isFinite(utcMs(value)),
};

/**
 * Checks that each column is compared with a value of its own type: an engine would fail on another one, or convert it, when a dataset is built.
 *
 * @throws {HeddleError} INVALID_ARGUMENT DEFINITION_INVALID, and what `typeOf` throws.
 */
export function checkFilter(
  where: string,
  filter: Filter,
  typeOf: (column: string) => ColumnType,
): void {
  for (const { column, is, value } of filter) {
    const type = typeOf(column);
    if (comparable[type](value)) continue;
    throw refuse(
      `${where} asks for "${column}" ${is} ${JSON.stringify(value)}, but the column is ${type}: compare it with a value of that type`,
    );
  }
}
