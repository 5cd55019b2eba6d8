import { closeSync, openSync, readSync } from "node:fs";
import { id, text } from "../duckdb/sql.ts";

/** Why a file is not what it should be, and what to do. */
export interface Problem {
  readonly problem: string;
  readonly remedy: string;
}

/** What of a file is looked at for its first line. */
const headBytesMax = 1 << 20;

const inUtf8 = "write it in UTF-8 (Excel calls that CSV UTF-8)";

/**
 * The columns that the first line of a CSV file names, in order; else why it is no such line. DuckDB would guess: take another line for
 * the first, and give names of its own to columns without one or with one that was there already.
 */
export function csvColumns(path: string): readonly string[] | Problem {
  const head = headOf(path);
  const other = otherFormat(head);
  if (other !== undefined) return other;
  const end = head.indexOf("\n");
  const first = (end < 0 ? head : head.subarray(0, end + 1)).toString("utf8");
  if (first.includes("\ufffd")) return { problem: "its first line is not UTF-8", remedy: inUtf8 };
  const names = cellsOf(first.replace(/^\ufeff/, "").replace(/\r?\n?$/, ""));
  return wrongNames(names) ?? names;
}

function wrongNames(names: readonly string[]): Problem | undefined {
  const [only = ""] = names;
  const separator = names.length > 1 ? undefined : [";", "\t", "|"].find((s) => only.includes(s));
  if (separator !== undefined) {
    return {
      problem: `its first line has no comma and is separated by ${separator === "\t" ? "tabs" : `"${separator}"`}`,
      remedy: "separate its columns by commas, and write numbers with a point: 3.14",
    };
  }
  if (names.length === 1 && only.trim() === "") {
    return { problem: "its first line is empty", remedy: "name its columns there" };
  }
  const nameless = names.findIndex((name) => name.trim() === "") + 1;
  if (nameless > 0) {
    return { problem: `column ${nameless} has no name in its first line`, remedy: "name it" };
  }
  // SQL takes them for one name, however they are written.
  const lower = names.map((name) => name.toLowerCase());
  const again = lower.findIndex((name, at) => lower.indexOf(name) < at);
  if (again < 0) return undefined;
  const [one, two] = [names[lower.indexOf(lower[again] ?? "")], names[again]];
  return {
    problem: `its first line names a column twice: ${one === two ? `"${one}"` : `"${one}" and "${two}"`}`,
    remedy: "give each column a name of its own",
  };
}

/** Formats that are saved under the name .csv by mistake, by their first bytes. */
function otherFormat(head: Buffer): Problem | undefined {
  const starts = (...bytes: number[]): boolean => bytes.every((byte, i) => head[i] === byte);
  if (starts(0x50, 0x4b, 3, 4)) {
    return { problem: "it is a workbook or a zip archive", remedy: "save it as CSV" };
  }
  if (/^\s*\[?\s*\{\s*"/.test(head.toString("latin1", 0, 64))) {
    return {
      problem: "it is JSON",
      remedy:
        "write it as CSV; heddle ingest takes a file with an object in each line, by the name .jsonl",
    };
  }
  if (starts(0x1f, 0x8b)) return { problem: "it is compressed", remedy: "unpack it" };
  if (starts(0x50, 0x41, 0x52, 0x31)) {
    return { problem: "it is Parquet", remedy: "give it a name that ends in .parquet" };
  }
  if (starts(0xff, 0xfe) || starts(0xfe, 0xff)) {
    return { problem: "it is written in UTF-16", remedy: inUtf8 };
  }
  if (head.subarray(0, 1024).includes(0)) {
    return { problem: "it is no text", remedy: "send a CSV file with a line of names at its head" };
  }
  return undefined;
}

function headOf(path: string): Buffer {
  const file = openSync(path, "r");
  try {
    const buffer = Buffer.alloc(headBytesMax);
    return buffer.subarray(0, readSync(file, buffer, 0, headBytesMax, null));
  } finally {
    closeSync(file);
  }
}

/** The cells of one line. */
function cellsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? "",
  );
}

/** The rows below the first line, every cell as text: as RFC 4180 has them, and nothing guessed. */
export function csvRows(path: string, columns: readonly string[]): string {
  const typed = columns.map((column) => `${text(column)}: 'VARCHAR'`).join(", ");
  return `(select ${columns.map(id).join(", ")} from read_csv(${text(path)}, auto_detect = false, columns = {${typed}}, delim = ',', quote = '"', escape = '"', header = true, strict_mode = true, null_padding = false))`;
}

/** What DuckDB says of a CSV file in many lines, in one; undefined when it says something else. */
export function csvProblem(message: string): Problem | undefined {
  const line = /^Invalid Input Error: CSV Error on Line: (\d+)$/m.exec(message)?.[1];
  if (line === undefined) return undefined;
  const cells = /^Expected Number of Columns: (\d+) Found: (\d+)$/m.exec(message);
  if (cells !== null) {
    return {
      problem: `line ${line} has ${cells[2]} values, and its first line names ${cells[1]} columns`,
      remedy: "give each line as many, and put a value that has a comma between quotes",
    };
  }
  if (message.includes("is not utf-8 encoded")) {
    return { problem: `line ${line} is not UTF-8`, remedy: inUtf8 };
  }
  if (/^Value with unterminated quote/m.test(message)) {
    return {
      problem: `a quote that line ${line} opens is not closed`,
      remedy: 'write a quote within a value twice: "a ""b"" c"',
    };
  }
  if (/^Maximum line size of/m.test(message)) {
    return {
      problem: `line ${line} is longer than 2 MB`,
      remedy: "leave long texts out: they are no features",
    };
  }
  return undefined;
}
