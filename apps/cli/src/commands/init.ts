import { relative, resolve } from "node:path";
import { buildCommand } from "@stricli/core";
import { type Context, jsonFlag } from "../context.ts";
import { counted } from "../output/numbers.ts";
import { shellWord } from "../output/shell-word.ts";
import { wrapped } from "../output/wrapped.ts";

interface Flags {
  readonly from: string;
  readonly label: string;
  readonly time?: string;
  readonly id?: string;
  readonly json: boolean;
}

export const init = buildCommand({
  docs: {
    brief: "Write a project that trains on a table of yours (CSV or Parquet)",
    fullDescription:
      "Looks at the file, decides for each column how a model may use it, and writes heddle.ts: yours to\nread and change. Example: heddle init churn --from customers.csv --label churned",
  },
  parameters: {
    flags: {
      from: {
        kind: "parsed",
        parse: (text: string) => resolve(text),
        brief: "The table: CSV with a header line, or Parquet",
      },
      label: { kind: "parsed", parse: String, brief: "Column to predict: true/false or 0/1" },
      time: {
        kind: "parsed",
        parse: String,
        brief: "Timestamp column: when each row happened",
        optional: true,
      },
      id: { kind: "parsed", parse: String, brief: "Column that identifies a row", optional: true },
      json: jsonFlag,
    },
    positional: {
      kind: "tuple",
      parameters: [
        {
          brief: "Folder of the project, made when it is missing",
          placeholder: "folder",
          parse: String,
          default: ".",
        },
      ],
    },
  },
  async func(this: Context, flags: Flags, folder: string) {
    const { initProject } = await import("../init/write.ts");
    const { table } = await import("../init/definitions-file.ts");
    const { from, label, time, id } = flags;
    const done = await initProject(folder, from, {
      label,
      ...(time === undefined ? {} : { time }),
      ...(id === undefined ? {} : { id }),
    });
    const { plan } = done;
    // Whoever came by npx has no `heddle` in the path.
    const heddle = this.process.env["npm_command"] === "exec" ? "npx heddle" : "heddle";
    this.print(flags, done, () =>
      [
        `${folder === "." ? "this folder" : folder}: ${done.files.join(", ")}`,
        [
          `${counted(plan.rows, "row")}; label ${plan.label}`,
          `${counted(plan.numbers.length, "number")}, ${counted(plan.categories.length, "category", "categories")}`,
        ].join("; "),
        ...(plan.id.length > 1 ? [wrap(alike)] : []),
        ...plan.leftOut.map(({ column, why }) => wrap(`left out: ${column}, ${why}`)),
        ...plan.remarks.map((remark) => wrap(`look at: ${remark}`)),
        "",
        "Next:",
        ...(folder === "." ? [] : [`  cd ${shellWord(folder)}`]),
        `  ${heddle} apply`,
        `  ${heddle} ingest ${table(plan)} ${shellWord(relative(folder, from))}`,
        `  ${heddle} train ${plan.name}`,
      ].join("\n"),
    );
  },
});

/** Said where no column identifies a row. */
const alike =
  "no column differs in every row: rows are told apart by all their columns, and two that are alike count as one; --id names a better one";

const wrap = (text: string): string => wrapped(text.split(" "), 76).join("\n  ");
