import { join } from "node:path";
import { tmpdir } from "node:os";
import { parseStrict } from "@heddle/config";
import { jobFields, makeAttempt } from "@heddle/jobclient";
import { runJob } from "@heddle/jobs";
import { FeatureStoreService } from "@heddle/proto/feature-store";
import { connect } from "@heddle/rpc";
import { z } from "zod";
import { buildDataset } from "./dataset/build-dataset.ts";

const Input = z.looseObject({
  ...jobFields,
  peers: z.record(z.string(), z.string()).and(z.object({ featureStore: z.string() })),
  modelDefinitionJson: z.string(),
  fromPartition: z.string(),
  toPartition: z.string(),
  use: z.enum(["training", "evaluation", "ranking"]),
  branches: z.record(z.string(), z.string()).default({}),
  threads: z.int().positive().default(2),
  memoryBytesMax: z
    .int()
    .positive()
    .default(500 << 20),
});

/** Composition root of a dataset build: started by the scheduler, makes one attempt of one dataset. */
await runJob(async (given, stopped) => {
  const input = parseStrict(Input, given, "input of a dataset build", "JOB_INPUT_INVALID");
  const { threads, memoryBytesMax } = input;
  const as = { service: "dataset", span: "build-dataset", attributes: { use: input.use } };
  const options = { ...as, environment: process.env, stopped };
  await makeAttempt(input, options, async ({ telemetry, objects, scheduler, client, signal }) => {
    await using featureStore = connect(FeatureStoreService, input.peers.featureStore, client);
    const deps = {
      ...{ featureStore, objects, telemetry },
      folder: join(tmpdir(), `heddle-dataset-${process.pid}`),
      threads,
      memoryBytesMax,
      progress: (done: number, total: number, message: string) =>
        scheduler.progress(done, total, "partitions", message),
    };
    const { dataset, rows, positives } = await buildDataset(input, deps, signal);
    await scheduler.complete({ dataset, rows: String(rows), positives: String(positives) });
  });
});
