import assert from "node:assert/strict";
import { test } from "node:test";
import { type LoadedVersion, startVersions } from "./versions.ts";

test("a version that is removed, or loaded anew, stays in memory until what works on it has ended", async () => {
  const freed: string[] = [];
  const versionOf = (load: string): LoadedVersion => {
    const scorer = { definition: {}, [Symbol.asyncDispose]: async () => void freed.push(load) };
    return { model: "shop", version: "v", scorer } as unknown as LoadedVersion;
  };
  const versions = startVersions(1);
  const works = ["first", "second"].map((load) => {
    const ended = Promise.withResolvers<void>();
    versions.add(versionOf(load));
    return { ended, used: versions.using(versions.get("v"), () => ended.promise) };
  });
  versions.remove("v");
  await new Promise(setImmediate);
  assert.deepEqual(freed, []);
  for (const { ended, used } of works.toReversed()) {
    ended.resolve();
    await used;
    await new Promise(setImmediate);
  }
  assert.deepEqual(freed, ["second", "first"]);
  await versions[Symbol.asyncDispose]();
  assert.equal(freed.length, 2);
});
