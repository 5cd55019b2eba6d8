import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { utcMs } from "./utc.ts";

test("a text without a zone is UTC, whatever zone the machine is in", () => {
  const module = JSON.stringify(new URL("./utc.ts", import.meta.url).href);
  const script = `const { utcMs } = await import(${module}); console.log(utcMs("2026-03-29 12:00:00.250"))`;
  for (const zone of ["UTC", "America/New_York"]) {
    const options = { encoding: "utf8", env: { ...process.env, TZ: zone } } as const;
    const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", script], options);
    assert.equal(Number(stdout), Date.UTC(2026, 2, 29, 12, 0, 0, 250), zone);
  }
});

test("a text with a zone is taken at its word, and one that is no time is NaN", () => {
  assert.equal(utcMs("2026-03-29T12:00:00+02:00"), Date.UTC(2026, 2, 29, 10));
  assert.equal(utcMs("2026-03-29T12:00Z"), Date.UTC(2026, 2, 29, 12));
  assert.equal(utcMs("2026-03-29"), Date.UTC(2026, 2, 29));
  assert.ok(Number.isNaN(utcMs("yesterday")));
});
