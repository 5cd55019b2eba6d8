import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@heddle/testkit";
import { built, type Recipe } from "./cache.ts";

function recipeOf(part: string): Recipe & { builds: number } {
  const recipe = {
    name: "toy",
    version: "1",
    parts: [part],
    builds: 0,
    build: async (folder: string) => {
      recipe.builds += 1;
      await new Promise((resolve) => setImmediate(resolve));
      writeFileSync(join(folder, "whole"), "");
    },
  };
  return recipe;
}

test("a recipe is built once, and anew when its text changes", async () => {
  using root = temporaryFolder("cache");
  const recipe = recipeOf("recipe");
  const folder = await built(recipe, root.path);
  assert.equal(await built(recipe, root.path), folder);
  assert.equal(recipe.builds, 1);
  assert.deepEqual(readdirSync(folder), ["whole"]);
  assert.notEqual(await built(recipeOf("changed"), root.path), folder);
});

test("of two builders at once one builds and the other waits for it", async () => {
  using root = temporaryFolder("cache");
  const recipe = recipeOf("recipe");
  const folders = await Promise.all([built(recipe, root.path), built(recipe, root.path)]);
  assert.equal(folders[0], folders[1]);
  assert.equal(recipe.builds, 1);
});

test("a builder that is killed leaves nothing that is taken for a server, nor in the way", async () => {
  using root = temporaryFolder("cache");
  const program = join(import.meta.dirname, "fixtures/build-and-die.ts");
  const { signal } = spawnSync(process.execPath, [program, root.path]);
  assert.equal(signal, "SIGKILL");
  assert.equal(readdirSync(root.path).filter((entry) => entry.includes("building")).length, 1);
  const folder = await built(recipeOf("recipe"), root.path);
  assert.deepEqual(readdirSync(folder), ["whole"]);
  assert.equal(readdirSync(root.path).filter((entry) => entry.includes("building")).length, 0);
});

test("a build that fails leaves nothing, and may succeed later", async () => {
  using root = temporaryFolder("cache");
  const failing = { ...recipeOf("recipe"), build: () => Promise.reject(new Error("no disk")) };
  await assert.rejects(built(failing, root.path), /no disk/);
  assert.deepEqual(
    readdirSync(root.path).filter((entry) => !entry.endsWith(".lock")),
    [],
  );
  await built(recipeOf("recipe"), root.path);
});
