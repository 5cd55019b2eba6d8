import { readFileSync } from "node:fs";
import { temporaryFolder } from "@heddle/testkit";
import type { Bench } from "../main.ts";
import { skipped } from "../summarise.ts";
import { clickModel } from "../train/criteo/definition.ts";
import { makeClicks, repeated } from "../train/criteo/table.ts";
import { openJobs, type Place, withGang, placeIn } from "../train/gang.ts";
import { watch } from "../train/measure.ts";
import { type Held, residentKibOf, slopeRow, tensorsRow } from "../train/memory.ts";

const batchSize = 256;
const full = { warmSteps: 2_000, steps: 20_000 };
const small = { warmSteps: 500, steps: 2_500 };
const partitionRows = 65_536;
/** Of resident memory; the bar. */
const kibPerStepMax = 0.5;

export const bench: Bench = {
  about: "a learner's memory over many steps of 256, with two shards in processes of their own",
  run: async ({ quick, say, environment }) => {
    const { warmSteps, steps } = quick ? small : full;
    using folder = temporaryFolder("bench-memory");
    const clicks = await makeClicks(folder.path, 1, partitionRows);
    const rows = (warmSteps + steps) * batchSize;
    const dataset = repeated(clicks, Math.ceil(rows / partitionRows));
    const own = placeIn(folder, environment);
    const noting = { ...own.environment, HEDDLE_BENCH_MEMORY: "1" };
    const place: Place = { ...own, environment: noting };
    await using jobs = openJobs(place);
    const definitionJson = JSON.stringify(clickModel(batchSize));
    const gang = { definitionJson, run: "memory", dataset, datasetName: "clicks", shards: 2 };
    const held: Held[] = [];
    await withGang(jobs, place, { ...gang, executor: "auto" }, async (running) => {
      await running.told.reading;
      const leader = running.pids().at(-1) ?? 0;
      await watch(running, ({ examples }) => {
        const step = examples / batchSize;
        if (step >= warmSteps && step > (held.at(-1)?.step ?? 0)) {
          const noted = readFileSync(`${folder.file("logs")}/learner.pid.memory`, "utf8");
          const inside = JSON.parse(noted) as Omit<Held, "step" | "residentKib">;
          held.push({ step, residentKib: residentKibOf(leader), ...inside });
        }
        return step < warmSteps + steps;
      });
    });
    say(`${held.length} looks from step ${held[0]?.step} to ${held.at(-1)?.step}`);
    const kib = (bytes: number): number => bytes / 1_024;
    return [
      slopeRow("learner's memory, resident", held, (h) => h.residentKib, kibPerStepMax),
      slopeRow("learner's JavaScript heap", held, (h) => kib(h.heapUsed)),
      slopeRow("learner's typed arrays", held, (h) => kib(h.arrayBuffers)),
      tensorsRow(held),
      skipped(
        "a table's bytes a row, and while it grows",
        "npm run bench -- kernels measures them",
      ),
    ];
  },
};
