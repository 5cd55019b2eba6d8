import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { heddle, heddleJson, sample, startHost, temporaryFolder } from "@heddle/testkit";
import { customersProject } from "./fixtures/project.ts";

const snapshotSteps = 8;
/** Of some 38; who takes a lost one's place sees fewer. */
const lastPush = 30;

/** Of `heddle train`: a version was made, and its gate refused it. */
const gateFailed = 4;

/** What a person would write: bounded mode, two learners on two shards. */
function twoByTwo(file: string): void {
  const text = readFileSync(file, "utf8");
  const mode = 'mode: { kind: "bounded", staleness: 8, inFlight: 4 }';
  const train =
    '{ kind: "train", dataset: "dataset", warmStart: true, shards: 2, learners: 2, after: ["dataset"] }';
  const changed = text
    .replace("snapshotSteps: 500,", `snapshotSteps: ${snapshotSteps},\n    ${mode},`)
    .replace(
      "retraining({ ranking: false })",
      `{ ...retraining({ ranking: false }), train: ${train} }`,
    );
  writeFileSync(file, changed);
}

for (const [what, how] of sample(
  [
    ["dies", ""],
    ["hangs", " SIGSTOP"],
  ] as const,
  1,
)) {
  test(`a training whose every shard ${what} midway goes on beside others in their places, and says what that cost`, async () => {
    using folder = temporaryFolder("lost-shard");
    const project = customersProject(folder);
    const failpoint = `parameter-server.push.after-apply@${lastPush}${how}`;
    const options = { cwd: project, environment: { HEDDLE_FAILPOINT: failpoint } };
    const endsWith = async (codes: readonly number[], ...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await heddle(args, options);
      assert.ok(codes.includes(code ?? -1), `${args.join(" ")}: ${code} ${stdout}${stderr}`);
      return stdout;
    };
    const run = (...args: string[]): Promise<string> => endsWith([0], ...args);
    await run("init", ".", "--from", "customers.csv", "--label", "churned", "--time", "signed");
    twoByTwo(join(project, "heddle.ts"));
    await using _host = await startHost(options);
    await run("apply");
    await run("ingest", "churn", "customers.csv");
    // Which updates are lost is a matter of time, and what is left of some 38 is now and then too few for the gate.
    const told = (await endsWith([0, gateFailed], "train", "churn")).replaceAll(/\s+/g, " ");
    assert.match(told, /shard [01] died and served again .* later, as it was at step \d+, without/);
    const { versions } = (await heddleJson(["versions", "churn"], options)) as {
      versions: { training: { lostShards: { shard?: number; lostUpdates?: string }[] } }[];
    };
    const lost = versions[0]?.training.lostShards ?? [];
    assert.deepEqual(lost.map(({ shard }) => shard ?? 0).sort(), [0, 1]);
    for (const { lostUpdates = "0" } of lost) assert.ok(Number(lostUpdates) <= snapshotSteps);
  });
}
