import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { layerBreaches } from "./layers.ts";

/** A workspace with a library that imports what `line` says. */
function workspace(line: string, dependencies: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), "heddle-layers-"));
  const project = (folder: string, layer: string, declared: object, source: string): void => {
    mkdirSync(join(root, folder, "src"), { recursive: true });
    const name = `@heddle/${folder.split("/").at(-1)}`;
    const manifest = { name, nx: { tags: [`layer:${layer}`] }, dependencies: declared };
    writeFileSync(join(root, folder, "package.json"), JSON.stringify(manifest));
    writeFileSync(join(root, folder, "src/index.ts"), source);
  };
  for (const group of ["test", "examples"]) mkdirSync(join(root, group));
  project("libs/base", "base", dependencies, line);
  project("libs/store", "backend", {}, "");
  project("apps/registry", "app", {}, "");
  project("bench", "test", {}, "");
  return root;
}

test("a library that imports a higher layer is reported", () => {
  const root = workspace('import { open } from "@heddle/store";', { "@heddle/store": "*" });
  assert.deepEqual(layerBreaches(root), [
    "libs/base/src/index.ts (layer base) imports @heddle/store (layer backend)",
  ]);
  rmSync(root, { recursive: true });
});

test("an import that package.json does not declare is reported", () => {
  const root = workspace('const store = await import("@heddle/store");', {});
  assert.equal(layerBreaches(root).length, 2);
  rmSync(root, { recursive: true });
});

test("a path into another project is reported", () => {
  const root = workspace('export { x } from "../../../apps/registry/src/index.ts";', {});
  assert.match(layerBreaches(root).join(), /reaches into another project/);
  rmSync(root, { recursive: true });
});

test("this workspace keeps its layers", () => {
  assert.deepEqual(layerBreaches(join(import.meta.dirname, "../..")), []);
});
