import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { onlineTopic } from "@heddle/eventlog";
import { temporaryFolder } from "@heddle/testkit";
import { names, readCurrent } from "./fixtures/materialise.ts";
import { openTestLog, openTestReplica } from "./fixtures/replicas.ts";

const program = join(import.meta.dirname, "fixtures/materialise-until-killed.ts");
const moments = 4;

/** Runs the program until it dies or is done. */
function run(folder: string, failpoint: string) {
  const env = { ...process.env, HEDDLE_FAILPOINT: failpoint };
  const { signal, stdout, stderr } = spawnSync(
    process.execPath,
    [program, folder, String(moments)],
    { env, encoding: "utf8" },
  );
  assert.equal(stderr, "");
  const acknowledged = Number(stdout.trim().split("\n").at(-1));
  return { signal, acknowledged };
}

for (const [step, visits] of [
  ["online.apply.before-write", [1, 7]],
  ["online.apply.after-write", [1, 7]],
  ["online.put.after-append", [1, 4]],
  ["online.clear.after-append", [1, 2]],
] as const) {
  test(`a replica that is killed at ${step} goes on with nothing lost and nothing twice`, async () => {
    using folder = temporaryFolder("replica-kill");
    let last = 0;
    for (const visit of visits) {
      const { signal, acknowledged } = run(folder.path, `${step}@${visit}`);
      assert.equal(signal, "SIGKILL");
      last = Math.max(last, acknowledged);
      await using log = openTestLog(folder.path);
      await using killed = openTestReplica(log, folder.file("replica"));
      // Waits for all that is in the log, and has nothing to do.
      await killed.clear("none");
      const moment = await readCurrent(killed);
      assert.ok(moment >= last, `moment ${moment} is current, ${last} was acknowledged`);
      // What one that reads the whole log comes to is what the killed one has.
      await using fresh = openTestReplica(log, folder.file(`fresh-${visit}`));
      assert.equal(await readCurrent(fresh), moment);
      for (let each = 0; each <= moment + 1; each++) {
        const view = `model/${each}/part`;
        assert.deepEqual(await killed.get(view, names), await fresh.get(view, names), view);
      }
      const ends = (await log.positions(onlineTopic)).map(({ end }) => end);
      assert.ok(ends.every((end) => end > 0));
    }
    const { signal, acknowledged } = run(folder.path, "");
    assert.equal(signal, null);
    assert.ok(acknowledged >= last + moments);
  });
}
