import { HeddleError } from "@heddle/base";
import { didYouMean } from "@heddle/config";
import type { ColumnDescription, Odd, TableDescription } from "@heddle/feature-engine";
import { counted } from "../output/numbers.ts";

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
  /** What a person should look at: columns that are texts for a few of their values. */
  readonly remarks: readonly string[];
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

/** What the gate of a new project wants among the rows held out. */
export const positivesMin = 20;

/** With fewer rows, the fifth that is held out has hardly as many positives, were half of them such. */
const rowsMin = 200;

/**
 * Decides from a look at the table; the file it leads to is the user's to change.
 *
 * @throws {HeddleError} INVALID_ARGUMENT NO_ROWS, NO_SUCH_COLUMN, LABEL_NOT_BINARY, LABEL_ONE_CLASS, TIME_NOT_A_TIME, NO_FEATURES.
 */
export function planInit(table: TableDescription, choices: InitChoices): InitPlan {
  const { name, label, time } = choices;
  if (table.rows === 0) {
    refuse("NO_ROWS", "the file names its columns and has no row below; choose one with rows");
  }
  checkLabel(column(table, label, "--label"));
  if (time !== undefined) checkTime(column(table, time, "--time"));
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
    remarks: [
      ...fewRows(table.rows),
      ...sameId(table, id),
      ...table.columns.flatMap((one) => (one.name === label ? [] : remark(one))),
    ],
    ...(time === undefined ? {} : { time }),
  };
}

function checkLabel({ name, type, distinct, binary, odd }: ColumnDescription): void {
  if (distinct === 0) {
    refuse("LABEL_ONE_CLASS", `the label "${name}" is empty in every row; choose another --label`);
  }
  if (distinct === 1) {
    refuse(
      "LABEL_ONE_CLASS",
      `the label "${name}" has one value only: there is nothing to learn; check the file`,
    );
  }
  if (binary) return;
  const example = odd === undefined ? "" : `, as ${JSON.stringify(odd.value)}`;
  refuse(
    "LABEL_NOT_BINARY",
    `the label "${name}" should be true/false or 0/1, but is ${type} with ${distinct} values${example}; choose another --label or make such a column`,
  );
}

function checkTime({ name, type, odd }: ColumnDescription): void {
  if (type === "timestamp") return;
  const has = odd === undefined ? `is ${type}` : `is ${type}: ${oddText(odd)}`;
  refuse(
    "TIME_NOT_A_TIME",
    `the time "${name}" is no timestamp but ${has}; write it as 2026-11-23T18:00:00 (in UTC, or with its zone: +01:00) or leave --time out`,
  );
}

/** Rows that share an identity are one event: of a column that names something else the rows would be lost. */
function sameId(table: TableDescription, [column, ...others]: readonly string[]): string[] {
  const id = table.columns.find(({ name }) => name === column);
  if (id === undefined || others.length > 0 || id.distinct === table.rows) return [];
  const said = `${id.name} has ${counted(id.distinct, "value")} in ${counted(table.rows, "row")}`;
  return [
    id.nulls > 0
      ? `${said}, and none in ${id.nulls}: an ingestion wants one in each row; name another --id`
      : `${said}: rows that share one count as one, the first of them; name another --id, or leave it out`,
  ];
}

function fewRows(rows: number): string[] {
  if (rows >= rowsMin) return [];
  return [
    `${rows} rows are few: a fifth of them is held out, and the gate wants to see ${positivesMin} positives there; expect NOT ENOUGH DATA`,
  ];
}

/** A column may be texts by mistake. */
function remark({ name, odd }: ColumnDescription): string[] {
  if (odd === undefined || odd.of === 0 || 2 * odd.count < odd.of) return [];
  const what = odd.most === "timestamp" ? "a time" : "a number";
  return [
    `${name} is taken for text: ${oddText(odd)}; where each value is ${what} or empty, init takes it for one`,
  ];
}

const oddText = ({ most, count, of, row, value }: Odd): string =>
  `${count} of its ${of} values are ${most === "timestamp" ? "times" : "numbers"}, and row ${row} has ${JSON.stringify(value)}`;

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
  // A name of digits is most likely a value.
  const headless = names.some((one) => /^[\d.:-]+$/.test(one));
  const remedy =
    meant !== undefined
      ? `did you mean "${meant}"?`
      : `${headless ? "its first line should name the columns, and" : "it"} has ${names.join(", ")}`;
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
