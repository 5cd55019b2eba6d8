import { join } from "node:path";
import { tmpdir } from "node:os";
import { parseStrict } from "@heddle/config";
import { openJobClient } from "@heddle/jobclient";
import { runJob } from "@heddle/jobs";
import { openTracedObjects } from "@heddle/objects";
import { FeatureStoreService } from "@heddle/proto/feature-store";
import { connect } from "@heddle/rpc";
import { startTelemetry, telemetryPlace } from "@heddle/telemetry";
import { z } from "zod";
import { buildDataset } from "./build-dataset.ts";

const Input = z.looseObject({
  job: z.string(),
  fence: z.number(),
  scheduler: z.string(),
  peers: z.record(z.string(), z.string()).and(z.object({ featureStore: z.string() })),
  objects: z.string(),
  traceparent: z.string().exactOptional(),
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
  const { job, threads, memoryBytesMax } = input;
  const place = telemetryPlace(process.env);
  await using telemetry = await startTelemetry({ service: "dataset", ...place });
  const parent = input.traceparent === undefined ? {} : { parent: input.traceparent };
  await telemetry.span(
    "build-dataset",
    { ...parent, attributes: { job, use: input.use } },
    async () => {
      await using scheduler = openJobClient(input, telemetry);
      const client = { telemetry, actor: job };
      await using featureStore = connect(FeatureStoreService, input.peers.featureStore, client);
      const objects = await openTracedObjects(input.objects, telemetry);
      const signal = AbortSignal.any([stopped, scheduler.fenced]);
      const deps = {
        ...{ featureStore, objects, telemetry },
        folder: join(tmpdir(), `heddle-dataset-${process.pid}`),
        threads,
        memoryBytesMax,
        progress: (done: number, total: number, message: string) =>
          scheduler.progress(done, total, "partitions", message),
      };
      try {
        const { dataset, rows, positives } = await buildDataset(input, deps, signal);
        await scheduler.complete({ dataset, rows: String(rows), positives: String(positives) });
      } catch (error) {
        // Then whatever failed did so because its call was ended.
        if (scheduler.fenced.aborted) throw scheduler.fenced.reason;
        throw error;
      }
    },
  );
});
