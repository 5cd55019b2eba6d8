import { HeddleError } from "@heddle/base";
import { didYouMean } from "@heddle/config";
import type { ColumnDescription, TableDescription } from "@heddle/feature-engine";

/** How each column of a table is used by the model that `heddle init` writes. */
export interface InitPlan {
  readonly name: string;
  readonly rows: number;
  readonly columns: readonly ColumnDescription[];
  readonly label: string;
  readonly time?: string;
  /** Columns that identify a row. */
  readonly id: readonly string[];
  /** Used by size. */
  readonly numbers: readonly ColumnDescription[];
  /** Used by identity. */
  readonly categories: readonly ColumnDescription[];
  /** Columns left out, each with the reason. */
  readonly leftOut: readonly { readonly column: string; readonly why: string }[];
}

export interface InitChoices {
  readonly name: string;
  readonly label: string;
  readonly time?: string;
  readonly id?: string;
}

/** A number column with no more distinct values than this is a code: used by identity. */
const codesMax = 12;

/**
 * Decides from a look at the table; the file it leads to is the user's to change.
 *
 * @throws {HeddleError} INVALID_ARGUMENT NO_SUCH_COLUMN, LABEL_NOT_BINARY, LABEL_ONE_CLASS, TIME_NOT_A_TIME, NO_FEATURES.
 */
export function planInit(table: TableDescription, choices: InitChoices): InitPlan {
  const { name, label, time } = choices;
  const labelled = column(table, label, "--label");
  if (labelled.type === "string" || labelled.type === "timestamp" || labelled.distinct > 2) {
    refuse(
      "LABEL_NOT_BINARY",
      `the label "${label}" should be true/false or 0/1, but is ${labelled.type} with ${labelled.distinct} values; choose another --label or make such a column`,
    );
  }
  if (labelled.distinct < 2) {
    refuse(
      "LABEL_ONE_CLASS",
      `the label "${label}" has one value only: there is nothing to learn; check the file`,
    );
  }
  if (time !== undefined && column(table, time, "--time").type !== "timestamp") {
    refuse(
      "TIME_NOT_A_TIME",
      `the time "${time}" is no timestamp; write it as 2026-11-23T18:00:00 or leave --time out`,
    );
  }
  const id = choices.id === undefined ? identity(table) : [column(table, choices.id, "--id").name];
  const leftOut: { column: string; why: string }[] = [];
  const usable = table.columns.filter(({ name: one, distinct, type }) => {
    if (one === label || one === time) return false;
    const why =
      distinct <= 1
        ? "it has one value only"
        : id.length === 1 && id[0] === one
          ? "it identifies the row"
          : type === "string" && distinct === table.rows
            ? "every row has another text"
            : undefined;
    if (why !== undefined) leftOut.push({ column: one, why });
    return why === undefined;
  });
  const isNumber = ({ type, distinct }: ColumnDescription): boolean =>
    type === "float64" || type === "timestamp" || (type === "int64" && distinct > codesMax);
  const numbers = usable.filter(isNumber);
  const categories = usable.filter((one) => !isNumber(one));
  if (usable.length === 0)
    refuse(
      "NO_FEATURES",
      "no column is left to learn from; the file needs columns beside label, time and id",
    );
  return {
    name,
    rows: table.rows,
    columns: table.columns,
    label,
    id,
    numbers,
    categories,
    leftOut,
    ...(time === undefined ? {} : { time }),
  };
}

function column(table: TableDescription, name: string, flag: string): ColumnDescription {
  const found = table.columns.find((one) => one.name === name);
  if (found !== undefined) return found;
  const names = table.columns.map((one) => one.name);
  const meant = didYouMean(name, names);
  const remedy = meant === undefined ? `it has ${names.join(", ")}` : `did you mean "${meant}"?`;
  refuse("NO_SUCH_COLUMN", `the file has no column "${name}" (${flag}); ${remedy}`);
}

/** The first column that differs in every row; else all columns together. */
function identity(table: TableDescription): string[] {
  const unique = table.columns.find(
    ({ distinct, nulls, type }) => distinct === table.rows && nulls === 0 && type !== "float64",
  );
  return unique === undefined ? table.columns.map(({ name }) => name) : [unique.name];
}

function refuse(reason: string, message: string): never {
  throw new HeddleError("INVALID_ARGUMENT", reason, message);
}
