import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { documentBreaches } from "./docs.ts";

/** What is wrong with a page in a workspace with one library, one command and one script. */
function breachesOf(page: string): string[] {
  const root = mkdtempSync(join(tmpdir(), "heddle-docs-"));
  const files = {
    "package.json": JSON.stringify({ scripts: { lint: "true" } }),
    "libs/store/src/port.ts": "",
    "libs/store/README.md": "# Store\n\n## What it promises\n",
    "apps/cli/src/context.ts": "state, json",
    "apps/cli/src/commands/train.ts": "window",
    "docs/page.md": page,
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  const found = documentBreaches(root);
  rmSync(root, { recursive: true });
  return found;
}

test("a link to a file, a folder or a heading that is not there is reported", () => {
  assert.deepEqual(
    breachesOf("[a](../libs/store/README.md#what-it-promises) [b](../libs/store)"),
    [],
  );
  assert.deepEqual(breachesOf("[a](https://example.org/nothing)"), []);
  assert.match(
    breachesOf("[a](../libs/stores/README.md)")[0] ?? "",
    /docs\/page\.md: .*leads nowhere/,
  );
  assert.match(breachesOf("[a](../libs/store/README.md#no)")[0] ?? "", /heading/);
});

test("a merge that is not finished is reported", () => {
  const conflict = "<<<<<<< HEAD\none\n=======\nother\n>>>>>>> main\n";
  assert.deepEqual(breachesOf(conflict), ["docs/page.md: a merge is not finished in it"]);
});

test("a file in backticks that is not there is reported", () => {
  assert.deepEqual(breachesOf("`libs/store/src/port.ts`, `src/port.ts`, `libs/*/src/port.ts`"), []);
  assert.deepEqual(breachesOf("your `heddle.ts`, `docs/adr/NNNN-title.md`"), []);
  assert.deepEqual(breachesOf("`libs/store/src/ports.ts`"), [
    "docs/page.md: there is no file libs/store/src/ports.ts",
  ]);
  assert.equal(breachesOf("`libs/other/*/port.ts`").length, 1);
});

test("a command, flag or script that does not exist is reported, in blocks and in lines", () => {
  const block = (line: string): string => `\`\`\`\n${line}\n\`\`\`\n`;
  assert.deepEqual(
    breachesOf(block("npx heddle train m --window 4 --state x  # --so it goes")),
    [],
  );
  assert.deepEqual(breachesOf("`heddle train m --json`, `npm run lint`"), []);
  assert.deepEqual(breachesOf(block("npx heddle weave m")), [
    "docs/page.md: there is no command heddle weave",
  ]);
  assert.deepEqual(breachesOf("`heddle train m --colour`"), [
    "docs/page.md: heddle train has no flag --colour",
  ]);
  assert.deepEqual(breachesOf(block("npm run weave")), [
    "docs/page.md: package.json has no script weave",
  ]);
});

test("all documents of this workspace name what is there", () => {
  assert.deepEqual(documentBreaches(join(import.meta.dirname, "../..")), []);
});

test("the table of mistakes names reasons that there are", () => {
  const page = (name: string): string =>
    readFileSync(join(import.meta.dirname, "../../docs", name), "utf8");
  // Those of checks that share one message are not in the generated page.
  const checks = readFileSync(
    join(import.meta.dirname, "../../libs/feature-engine/src/ingest/ingest-check.ts"),
    "utf8",
  );
  const known = new Set(
    `${page("reference/error-reasons.md")}${checks}`.match(/(?<=[`"])[A-Z]+(_[A-Z]+)+(?=[`"])/g),
  );
  const named = page("guide/mistakes.md").match(/(?<=`)[A-Z]+(_[A-Z]+)+(?=`)/g) ?? [];
  assert.ok(named.length > 40);
  assert.deepEqual(
    named.filter((reason) => !known.has(reason)),
    [],
  );
});
