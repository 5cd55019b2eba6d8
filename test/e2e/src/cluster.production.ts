import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { heddle, temporaryFolder } from "@heddle/testkit";

const cluster = join(import.meta.dirname, "../../../tools/cluster.ts");

/** `v1 73d1731d7f9a  serving, memory digest 6b89e3a333d1`: names come from contents, so these are the models' bytes. */
const versionsIn = (text: string): readonly string[] =>
  text.match(/v\d+ [0-9a-f]{12} {2}(serving, memory digest [0-9a-f]{12}|nothing of it)/g) ?? [];

/** A report but for what each run has of its own: when it was, ids and traces (which are in tooltips), and how long things took. */
const reportIn = (file: string): readonly string[] =>
  (readFileSync(file, "utf8").split('id="time"')[0] ?? "")
    .replaceAll(/<title>.*?<\/title\s*>/gs, "")
    .replace(/last run ended [^<]*/, "")
    .split("\n");

async function runCluster(state: string): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [cluster, "--small", `--state=${state}`]);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (said += text));
  }
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, said };
}

test("on Kafka, MongoDB and S3, with each service a process of its own, the story ends with the report and the bytes of one host", async (t) => {
  using folder = temporaryFolder("cluster");
  using alone = temporaryFolder("alone");
  const { code, said } = await runCluster(folder.file("state"));
  const cannot = /the cluster cannot start here: .*/.exec(said)?.[0];
  if (cannot !== undefined) return t.skip(cannot);
  assert.equal(code, 0, said);
  const host = await heddle(["demo", "grocer", "--small"], { cwd: alone.path });
  assert.equal(host.code, 0);
  const versions = versionsIn(said);
  assert.equal(versions.length, 3);
  assert.deepEqual(versions, versionsIn(host.stdout));
  const report = reportIn(folder.file("state", "report.html"));
  assert.ok(report.length > 200, report.join("\n"));
  assert.deepEqual(report, reportIn(alone.file(".heddle", "report.html")));
});
