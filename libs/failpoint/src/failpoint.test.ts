import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

function visits(setting: string | undefined): { signal: string | null; printed: string } {
  const module = new URL("./index.ts", import.meta.url).href;
  const script = `import { failpoint } from ${JSON.stringify(module)}; import { writeSync } from "node:fs";
    for (let n = 1; n <= 4; n++) { writeSync(1, String(n)); failpoint("service.act.after-step"); failpoint("other"); }`;
  const environment = { ...process.env };
  delete environment["HEDDLE_FAILPOINT"];
  if (setting !== undefined) environment["HEDDLE_FAILPOINT"] = setting;
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    env: environment,
  });
  return { signal: child.signal, printed: child.stdout.toString() };
}

test("an armed failpoint kills at its first visit", () => {
  assert.deepEqual(visits("service.act.after-step"), { signal: "SIGKILL", printed: "1" });
});

test("a count chooses the visit", () => {
  assert.deepEqual(visits("service.act.after-step@3"), { signal: "SIGKILL", printed: "123" });
});

test("without the variable, or for another name, nothing happens", () => {
  assert.deepEqual(visits(undefined), { signal: null, printed: "1234" });
  assert.deepEqual(visits("elsewhere.act.after-step"), { signal: null, printed: "1234" });
});
