import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { systemClock } from "@heddle/base";
import { openDoor, spec } from "./contract.ts";
import { logPath, openProcessJobs } from "./process-jobs.ts";

const entry = fileURLToPath(new URL("./fixtures/job.ts", import.meta.url));
const parentEntry = fileURLToPath(new URL("./fixtures/parent.ts", import.meta.url));

function newFolder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "heddle-jobs-"));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}
function open(logFolder: string, node = process.execPath) {
  const programs = { job: entry };
  const environment = { GREETING: "hello" };
  return openProcessJobs({ programs, node, logFolder, environment, clock: systemClock });
}

for (const act of ["wait", "compute"]) {
  test(`a job that would ${act} for ever is gone within a second of its parent's death`, async (t) => {
    const folder = newFolder(t);
    await using door = await openDoor();
    const parent = spawn(process.execPath, [parentEntry, entry, folder, act, String(door.port)], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    const socket = await door.guest;
    const closed = once(socket, "close");
    // What watches the parent is a thread, which may still be loading.
    await sleep(1_000);
    const killedMs = performance.now();
    parent.kill("SIGKILL");
    await closed;
    const tookMs = performance.now() - killedMs;
    assert.ok(tookMs < 1_000, `${tookMs} ms`);
  });
}

test("a lost job's message quotes the end of its log, where its output went", async (t) => {
  const folder = newFolder(t);
  await using jobs = open(folder);
  const job = await jobs.start({
    ...spec("run/1: vanish", "vanish"),
    environment: { GREETING: "hi" },
  });
  const exit = await job.exited;
  assert.ok(exit.kind === "lost");
  assert.match(exit.message, /killed by SIGKILL.*acting: vanish hi\nabout to vanish$/s);
  assert.match(readFileSync(logPath(folder, "run/1: vanish"), "utf8"), /^acting: vanish hi\n/);
});

test("a job that said it was done and then ended as one that broke is lost", async (t) => {
  await using jobs = open(newFolder(t));
  const exit = await (await jobs.start(spec("run/1", "succeed-and-break"))).exited;
  assert.equal(exit.kind, "lost");
  assert.match(exit.kind === "lost" ? exit.message : "", /ended with status 3 and no result/);
});

test("a Node that cannot be started is reported, and leaves no running id", async (t) => {
  await using jobs = open(newFolder(t), "/nowhere/node");
  const refused = jobs.start(spec("a", "succeed"));
  await assert.rejects(refused, { code: "UNAVAILABLE", reason: "JOB_NOT_STARTED" });
  assert.deepEqual(jobs.running(), []);
});

test("without a parent a job tells its end by its status", () => {
  const statusOf = (job: string | undefined): number | null =>
    spawnSync(process.execPath, [entry], { env: job === undefined ? {} : { HEDDLE_JOB: job } })
      .status;
  assert.equal(statusOf('{"act":"succeed"}'), 0);
  assert.equal(statusOf('{"act":"fail"}'), 1);
  assert.equal(statusOf('{"act":"fail-for-now"}'), 75);
  assert.equal(statusOf(undefined), 1);
  assert.equal(statusOf("[]"), 1);
});

test("ids that look alike in a file name have logs of their own", () => {
  assert.notEqual(logPath("/logs", "a/b"), logPath("/logs", "a_b"));
  assert.match(logPath("/logs", "../../x"), /^\/logs\/[^/]+$/);
});
