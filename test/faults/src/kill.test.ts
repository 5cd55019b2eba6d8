import assert from "node:assert/strict";
import { test } from "node:test";
import { heddle, temporaryFolder } from "@heddle/testkit";
import { type Blow, disturbedRun, versionsIn } from "./disturbed-run.ts";

/** The first four end their start; the last hits a shard, which the scheduler replaces. */
const blows: readonly Blow[] = [
  { kind: "failpoint", name: "feature-store.ingest.after-segment@3" },
  { kind: "moment", afterMs: 5_000, script: "" },
  { kind: "failpoint", name: "learner.snapshot.after-manifest" },
  { kind: "failpoint", name: "sync.publish.after-load" },
  { kind: "moment", afterMs: 2_000, script: "shard-job.ts" },
];

test(
  "a run killed five times, at failpoints and at moments, ends with the bytes of an undisturbed one",
  { skip: process.platform !== "linux" && "it finds the processes to kill in /proc" },
  async (t) => {
    using undisturbed = temporaryFolder("undisturbed");
    using disturbed = temporaryFolder("disturbed");
    const { code, stderr } = await heddle(["demo", "grocer", "--small", "--quiet"], {
      cwd: undisturbed.path,
    });
    assert.equal(code, 0, stderr);
    const ends = await disturbedRun(disturbed.path, blows, (text) => t.diagnostic(text));
    assert.deepEqual(
      ends.map((end) => end.code === 0),
      [false, false, false, false, true],
    );
    assert.deepEqual(await versionsIn(disturbed.path), await versionsIn(undisturbed.path));
  },
);
