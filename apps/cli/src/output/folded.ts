import { wrapped } from "./wrapped.ts";

/** Columns of a terminal that nobody has widened. */
const widthMax = 80;

/**
 * Help as it is read at 80 columns: the description's lines flow as one paragraph, and what is too long for its line goes on under
 * the column in which it stands. A default stands behind its text instead of in a column of its own where that would be too wide.
 */
export function folded(help: string): string {
  const lines = help.split("\n");
  const wide = lines.some((line) => line.length > widthMax);
  const flowing: string[] = [];
  for (const line of lines) {
    const above = flowing.at(-1);
    if (above !== undefined && isProse(above) && isProse(line)) {
      flowing[flowing.length - 1] = `${above} ${line}`;
    } else flowing.push(wide ? line.replace(/ {3,}(?=\[[^[\]]*\]$)/, "  ") : line);
  }
  return flowing.flatMap(foldedLine).join("\n");
}

/** A sentence of the description: not a heading, not indented, and without columns. */
function isProse(line: string): boolean {
  return /^\S/.test(line) && !/ {2}/.test(line) && line !== line.toUpperCase();
}

/** A default in its brackets stays together. */
const betweenWords = / (?![^[]*\])/;

function foldedLine(line: string): string[] {
  if (line.length <= widthMax) return [line];
  const [start = ""] = /^ *((-\w +)?\S+( \S+)* {2,})?/.exec(line) ?? [];
  const lines = wrapped(line.slice(start.length).split(betweenWords), widthMax - start.length);
  const under = " ".repeat(start.length);
  return lines.map((each, i) => `${i === 0 ? start : under}${each}`.trimEnd());
}
