import type { ModelDefinition } from "@heddle/sdk";
import { temporaryFolder } from "@heddle/testkit";
import type { Bench } from "../main.ts";
import type { Row } from "../row.ts";
import { trafficRows } from "../savings/traffic.ts";
import { compared, measured } from "../summarise.ts";
import { clickModel } from "../train/criteo/definition.ts";
import { makeClicks } from "../train/criteo/table.ts";
import { type GangOptions, openJobs, trainOnce, placeIn } from "../train/gang.ts";
import { type Steady, trainSteady } from "../train/measure.ts";

const batchSize = 4_096;
const full = { partitions: 4, partitionRows: 262_144, rounds: 7 };
const small = { partitions: 2, partitionRows: 65_536, rounds: 3 };
const shards = 2;

const alone = clickModel(batchSize);
/** The short-term model has the same rules, so that training it alone costs what the long-term one does. */
const definitions = {
  alone,
  together: { ...alone, shortTerm: {} },
} as const satisfies Record<string, ModelDefinition>;
type Name = keyof typeof definitions;
const names: readonly Name[] = ["alone", "together"];

export const bench: Bench = {
  about: "a long-term and a short-term model trained together, beside two trainings",
  run: async ({ quick, say, environment }) => {
    const { partitions, partitionRows, rounds } = quick ? small : full;
    using folder = temporaryFolder("bench-short-term");
    const clicks = await makeClicks(folder.path, partitions, partitionRows);
    const place = placeIn(folder, environment);
    await using jobs = openJobs(place);
    const gang = (name: Name, run: string): GangOptions => ({
      ...{ dataset: clicks.manifest, datasetName: "clicks", executor: "auto", shards },
      ...{ definitionJson: JSON.stringify(definitions[name]), run: `${name}-${run}` },
    });
    const whole = [];
    for (const name of names) {
      const { summary } = await trainOnce(jobs, place, gang(name, "whole"));
      whole.push({ name, summary });
      say(`${name}: ${summary.examples} examples, mean loss ${summary.meanLoss.toFixed(4)}`);
    }
    const done: Record<Name, Steady[]> = { alone: [], together: [] };
    for (let round = 0; round < rounds; round++) {
      // What slows the machine for a while slows both.
      for (const name of round % 2 === 0 ? names : names.toReversed()) {
        const took = await trainSteady(jobs, place, gang(name, String(round)), clicks.rows);
        done[name].push(took);
        say(`round ${round + 1}, ${name}: ${cpuSeconds(took).toFixed(1)} ${unit}`);
      }
    }
    return [...rowsOf(done), ...trafficRows(whole)];
  },
};

const unit = "CPU-s/million";
/** Of a million examples. */
const cpuSeconds = (took: Steady): number => (1e6 * took.cpuSeconds) / took.examples;
const seconds = (took: Steady): number => (1e6 * took.wallSeconds) / took.examples;

function rowsOf(done: Readonly<Record<Name, readonly Steady[]>>): Row[] {
  const beside = (measure: string, per: string, of: (took: Steady) => number): Row => {
    const twice = done.alone.map((took) => 2 * of(took));
    const peer = { name: "twice one alone", values: twice };
    return compared(measure, per, done.together.map(of), peer, { atMost: 1 });
  };
  return [
    beside("CPU, both together", unit, cpuSeconds),
    beside("time, both together", "s/million", seconds),
    measured("CPU, one alone", unit, done.alone.map(cpuSeconds)),
  ];
}
