import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

const module = new URL("./index.ts", import.meta.url).href;
const script = `import { failpoint } from ${JSON.stringify(module)}; import { writeSync } from "node:fs";
  for (let n = 1; n <= 4; n++) { writeSync(1, String(n)); failpoint("service.act.after-step"); failpoint("other"); }`;
const program = ["--input-type=module", "-e", script];

function visits(setting: string | undefined): { signal: string | null; printed: string } {
  const environment = { ...process.env };
  delete environment["HEDDLE_FAILPOINT"];
  if (setting !== undefined) environment["HEDDLE_FAILPOINT"] = setting;
  const child = spawnSync(process.execPath, program, { env: environment });
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

const skip = existsSync("/proc/self/stat")
  ? false
  : "nothing here says whether a process stands still";

test(
  "a process that is stopped at its visit goes on from there when it is told to",
  { skip },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "heddle-failpoint-"));
    const file = join(folder, "printed");
    const env = { ...process.env, HEDDLE_FAILPOINT: "service.act.after-step@2 SIGSTOP" };
    const stdio = ["ignore", openSync(file, "w"), "inherit"] as const;
    const child = spawn(process.execPath, program, { env, stdio: [...stdio] });
    while (!/\) T /.test(readFileSync(`/proc/${child.pid}/stat`, "utf8"))) await sleep(5);
    assert.equal(readFileSync(file, "utf8"), "12");
    child.kill("SIGCONT");
    assert.deepEqual(await once(child, "exit"), [0, null]);
    assert.equal(readFileSync(file, "utf8"), "1234");
    rmSync(folder, { recursive: true });
  },
);
