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

/** AUC of a column alone from which on it is taken for a consequence of the label. */
const tooGood = 0.999;

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
  const usable = table.columns.filter((one) => {
    if (one.name === label || one.name === time) return false;
    const why =
      id.length === 1 && id[0] === one.name
        ? "it identifies the row"
        : (whyUseless(one, table.rows, time !== undefined) ?? whyTooGood(one, label));
    if (why !== undefined) leftOut.push({ column: one.name, why });
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

/** Why a model can learn nothing of a column that holds for other rows; undefined when it may. */
function whyUseless(
  { name, type, distinct, nulls }: ColumnDescription,
  rows: number,
  timed: boolean,
): string | undefined {
  if (distinct <= 1) return "it has one value only";
  if (type === "string" && distinct > (rows - nulls) / 2) return "few rows share a text of it";
  if (type === "timestamp" && !timed) {
    return `its age needs a moment of the row: if this is when the row happened, name it with --time ${name}`;
  }
  // Size means nothing of a number that names something, and with few rows each there is nothing to learn of the thing.
  const names = /(^|[^a-zA-Z])[iI][dD]$|[a-z]I[dD]$/.test(name) && type === "int64";
  if (names && distinct > rows / 2) return "it names something that few rows share";
  return undefined;
}

/** Why a column is likely known only when the label is; undefined when it need not be. */
function whyTooGood({ tells = 0 }: ColumnDescription, label: string): string | undefined {
  if (tells < tooGood) return undefined;
  return `it alone tells ${label} as a copy of it would (AUC ${tells.toFixed(4)}): add it if it is known before ${label} is`;
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
