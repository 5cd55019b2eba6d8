import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryFolder } from "@heddle/testkit";
import { buildAll } from "./builds.ts";
import type { Recipe } from "./cache.ts";
import { Unavailable } from "./unavailable.ts";

test("lanes build side by side, each one thing at a time, and all is said", async () => {
  using root = temporaryFolder("builds");
  const underWay = new Set<string>();
  const seen: string[] = [];
  const both = Promise.withResolvers<void>();
  const recipe = (name: string, outcome = Promise.resolve()): Recipe => ({
    name,
    version: "1",
    parts: [name],
    build: async () => {
      underWay.add(name);
      seen.push([...underWay].join("+"));
      // The lanes' first ones wait for one another: they would for ever if lanes came one after another.
      if (underWay.size === 2) both.resolve();
      await both.promise;
      underWay.delete(name);
      await outcome;
    },
  });
  const missing = Promise.reject(new Unavailable("go is not on the PATH"));
  const broken = Promise.reject(new Error("javac ended with 1"));
  for (const each of [missing, broken]) each.catch(() => undefined);
  const lanes = [
    [recipe("a"), recipe("b", broken)],
    [recipe("c", missing), recipe("d")],
  ];
  const said: string[] = [];
  await buildAll(lanes, (line) => void said.push(line.replace(/\d+ s/, "N s")), root.path);
  assert.ok(seen.includes("a+c") || seen.includes("c+a"));
  assert.ok(!seen.some((names) => /a\+b|b\+a|c\+d|d\+c/.test(names)));
  assert.deepEqual(said.sort(), [
    "a 1: building …",
    "a 1: built in N s",
    "b 1: building …",
    "b 1: cannot be built (N s): javac ended with 1",
    "c 1: building …",
    "c 1: cannot be had here (N s): go is not on the PATH",
    "d 1: building …",
    "d 1: built in N s",
  ]);
  const again: string[] = [];
  await buildAll([[recipe("a")]], (line) => void again.push(line), root.path);
  assert.deepEqual(again, ["a 1: built before"]);
});
