import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { importCircles } from "./circles.ts";

test("files that import one another are reported with the way around, also where only types go around", () => {
  const root = mkdtempSync(join(tmpdir(), "heddle-circles-"));
  const write = (name: string, text: string): void => {
    mkdirSync(join(root, "libs/loop/src"), { recursive: true });
    writeFileSync(join(root, "libs/loop/src", name), text);
  };
  write("a.ts", 'import { b } from "./b.ts";');
  write("b.ts", 'import type { C } from "./c.ts";\nimport { d } from "./d.ts";');
  write("c.ts", 'export type { A } from "./a.ts";');
  write("d.ts", "export const d = 1;");
  const at = (name: string): string => `libs/loop/src/${name}.ts`;
  assert.deepEqual(importCircles(root), [["a", "b", "c", "a"].map(at).join(" → ")]);
  rmSync(root, { recursive: true });
});

test("no file of this workspace imports itself by way of others", () => {
  assert.deepEqual(importCircles(join(import.meta.dirname, "../..")), []);
});
