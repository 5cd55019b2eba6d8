import { padded, widthOf } from "./style.ts";

export interface TableColumn {
  readonly header: string;
  readonly align?: "left" | "right";
}

/** Rows under headers, columns as wide as their widest cell, two spaces between. */
export function table(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
): string {
  const widths = columns.map(({ header }, i) =>
    Math.max(widthOf(header), ...rows.map((row) => widthOf(row[i] ?? ""))),
  );
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ align }, i) => {
        const [cell, width] = [cells[i] ?? "", widths[i] ?? 0];
        return align === "right" ? " ".repeat(width - widthOf(cell)) + cell : padded(cell, width);
      })
      .join("  ")
      .trimEnd();
  return [
    line(columns.map(({ header }) => header)),
    line(widths.map((width) => "─".repeat(width))),
    ...rows.map(line),
  ].join("\n");
}
