import assert from "node:assert/strict";
import { test } from "node:test";
import { heddle, temporaryFolder } from "@heddle/testkit";
import { type Blow, disturbedRun, versionsIn } from "./disturbed-run.ts";

const blows: readonly Blow[] = [
  { kind: "failpoint", name: "feature-store.ingest.after-segment@3" },
  { kind: "failpoint", name: "learner.snapshot.after-manifest" },
  { kind: "moment", afterMs: 4_000, script: "shard-job.ts" },
  { kind: "moment", afterMs: 6_000, script: "" },
  { kind: "failpoint", name: "sync.publish.after-load" },
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
    await disturbedRun(disturbed.path, blows, (text) => t.diagnostic(text));
    assert.deepEqual(await versionsIn(disturbed.path), await versionsIn(undisturbed.path));
  },
);
