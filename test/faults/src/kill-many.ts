// npm run faults -- [kills] [seed]: the small grocer killed many times, at failpoints and at random moments.
import { seededRandom } from "@heddle/base";
import { heddle, temporaryFolder } from "@heddle/testkit";
import { type Blow, disturbedRun, versionsIn } from "./disturbed-run.ts";
import { failpoints } from "./failpoints.ts";

const [kills = 100, seed = Date.now() % 1_000_000] = process.argv.slice(2).map(Number);
const perRun = 10;
const longestMs = 15_000;
const scripts = [
  "",
  "host-main.ts",
  "train-job.ts",
  "shard-job.ts",
  "dataset-job.ts",
  "evaluation-job.ts",
  "main.ts",
];
const random = seededRandom(seed);
const names = failpoints();
const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

function blow(): Blow {
  if (random.next() < 0.4)
    return {
      kind: "failpoint",
      name: `${names[random.below(names.length)] ?? ""}@${1 + random.below(4)}`,
    };
  return {
    kind: "moment",
    afterMs: random.below(longestMs),
    script: scripts[random.below(scripts.length)] ?? "",
  };
}

say(`${kills} kills, seed ${seed}, ${names.length} failpoints`);
using undisturbed = temporaryFolder("undisturbed");
await heddle(["demo", "grocer", "--small", "--quiet"], { cwd: undisturbed.path });
const expected = await versionsIn(undisturbed.path);
let differing = 0;
for (let done = 0; done < kills; done += perRun) {
  using disturbed = temporaryFolder("disturbed");
  const blows = Array.from({ length: Math.min(perRun, kills - done) }, blow);
  await disturbedRun(disturbed.path, blows, say);
  const same = JSON.stringify(await versionsIn(disturbed.path)) === JSON.stringify(expected);
  say(`${same ? "✓ same bytes" : "✗ OTHER BYTES"} after ${blows.length} kills`);
  if (!same) differing += 1;
}
say(
  differing === 0
    ? "every run ended with the same bytes"
    : `${differing} runs differ; replay with seed ${seed}`,
);
process.exitCode = differing === 0 ? 0 : 1;
