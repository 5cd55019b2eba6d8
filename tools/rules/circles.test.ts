import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { importCircles } from "./circles.ts";

test("files that import one another are reported with the way around, also where only types go around or no ending is named", () => {
  const root = mkdtempSync(join(tmpdir(), "heddle-circles-"));
  const write = (name: string, text: string): void => {
    mkdirSync(join(root, "libs/loop/src"), { recursive: true });
    writeFileSync(join(root, "libs/loop/src", name), text);
  };
  write("a.ts", 'import { b } from "./b.ts";');
  write("b.ts", 'import type { C } from "./c.ts";\nimport { d } from "./d.ts";');
  write("c.ts", 'export type { A } from "./a.ts";');
  write("d.ts", 'import { e } from "./e";');
  write("e.ts", 'import { d } from "./d";');
  const at = (name: string): string => `libs/loop/src/${name}.ts`;
  const around = [
    ["a", "b", "c", "a"],
    ["d", "e", "d"],
  ];
  assert.deepEqual(
    importCircles(root),
    around.map((files) => files.map(at).join(" → ")),
  );
  rmSync(root, { recursive: true });
});

test("no file of this workspace imports itself by way of others", () => {
  assert.deepEqual(importCircles(join(import.meta.dirname, "../..")), []);
});
