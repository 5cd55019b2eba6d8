import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { loadProject } from "./load.ts";

const root = mkdtempSync(join(tmpdir(), "heddle-load-"));
after(() => rmSync(root, { recursive: true }));

const source = `import { defineSource } from "@heddle/sdk";
export const clicks = defineSource({
  name: "clicks", owner: "me", licence: "internal", lawfulBasis: "contract", retentionDays: 365, jurisdiction: "EU",
  purposes: ["training"], columns: { id: "int64" }, eventId: ["id"], available: { rule: "at-event" },
});
`;
let projects = 0;
/** A project's folder, in a path as people have them. */
function project(text: string): string {
  const folder = join(root, `Größe & Mühe ${(projects += 1)}`);
  mkdirSync(folder);
  writeFileSync(join(folder, "heddle.ts"), text);
  return folder;
}

test("a project is loaded wherever it lies", async () => {
  const [found] = await loadProject(project(source));
  assert.equal(found?.name, "clicks");
});

const mistakes: readonly [what: string, text: string, reason: string, message: RegExp][] = [
  [
    "does not parse",
    source.replace("defineSource({", "defineSource({{"),
    "DEFINITION_FILE_BROKEN",
    /\/heddle\.ts:2 cannot be loaded: .*correct it/s,
  ],
  [
    "throws",
    `${source}throw new Error("my own");\n`,
    "DEFINITION_FILE_BROKEN",
    /Größe & Mühe \d+\/heddle\.ts:6 cannot be loaded: my own; correct it/,
  ],
  [
    "imports a file that is missing",
    `import "./none.ts";\n${source}`,
    "DEFINITION_FILE_BROKEN",
    /heddle\.ts cannot be loaded: Cannot find module '.*none\.ts' imported from .*heddle\.ts/,
  ],
  [
    "imports a package that is missing",
    `import "no-such-package-anywhere";\n${source}`,
    "DEFINITION_FILE_BROKEN",
    /Cannot find package 'no-such-package-anywhere' imported from .*heddle\.ts/,
  ],
  [
    "imports what the SDK does not have",
    source.replace("{ defineSource }", "{ defineSource, defineSauce }"),
    "DEFINITION_FILE_BROKEN",
    /heddle\.ts:1 cannot be loaded: .* named 'defineSauce'/,
  ],
  [
    "has a number that is NaN",
    source.replace("365", "0 / 0"),
    "DEFINITION_INVALID",
    /source clicks in .*heddle\.ts: retentionDays is NaN; write a finite number/,
  ],
  [
    "names two sources alike",
    `${source}${source
      .replace("clicks", "more")
      .replace(/import.*/, "")
      .replace("export const clicks", "export const more")}`,
    "DEFINITION_TWICE",
    /heddle\.ts exports two definitions of source clicks: give one of them another name/,
  ],
  [
    "exports nothing",
    source.replace("export ", ""),
    "NO_DEFINITIONS",
    /heddle\.ts exports no definitions: export what/,
  ],
];
for (const [what, text, reason, message] of mistakes) {
  test(`a definition file that ${what} is refused with its place`, async () => {
    await assert.rejects(loadProject(project(text)), { reason, message });
  });
}

test("a folder without a project says how to make one", async () => {
  await assert.rejects(loadProject(root), {
    reason: "NO_DEFINITION_FILE",
    message: /no heddle\.ts, .* in .*: run this in a project folder, .* "heddle init NAME"/,
  });
});
