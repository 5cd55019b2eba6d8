import assert from "node:assert/strict";
import { test } from "node:test";
import { folded } from "./folded.ts";

test("help is read at 80 columns: sentences flow, and what is too long goes on in its column", () => {
  const sentence = "A sentence that somebody wrote on lines of the length";
  const help = [
    ...[
      "USAGE",
      "  heddle train <pipeline>",
      "",
      sentence,
      "that the source has, not the terminal.",
      "",
    ],
    ...["FLAGS", `     [--rates]  ${"word ".repeat(15)}here          [a|b, default = a]`],
    "  -h  --help    Say what a command does                     [default = no]",
  ].join("\n");
  assert.equal(
    folded(help),
    [
      ...["USAGE", "  heddle train <pipeline>", ""],
      `${sentence} that the source has, not`,
      ...["the terminal.", "", "FLAGS"],
      `     [--rates]  ${"word ".repeat(12)}word`,
      "                word word here  [a|b, default = a]",
      "  -h  --help    Say what a command does  [default = no]",
    ].join("\n"),
  );
});

test("help that fits is as it was", () => {
  const help = "USAGE\n  heddle doctor\n\nFLAGS\n     [--json]  Print JSON     [default = false]";
  assert.equal(folded(help), help);
});
