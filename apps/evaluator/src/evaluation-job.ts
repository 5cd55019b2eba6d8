/** Composition root of an evaluation: started by the scheduler, measures one version and ends. */
import { parseStrict } from "@heddle/config";
import { openExecutor } from "@heddle/executor";
import { openDuckdb } from "@heddle/feature-engine";
import { openJobClient } from "@heddle/jobclient";
import { runJob } from "@heddle/jobs";
import { openScorer } from "@heddle/model";
import { openTracedObjects } from "@heddle/objects";
import { EvaluatorService } from "@heddle/proto/evaluator";
import { FeatureStoreService } from "@heddle/proto/feature-store";
import { RegistryService } from "@heddle/proto/registry";
import { connect } from "@heddle/rpc";
import { startTelemetry, telemetryPlace } from "@heddle/telemetry";
import { availableParallelism } from "node:os";
import { callMs } from "./deps.ts";
import { evaluate } from "./evaluate.ts";
import { EvaluationInput } from "./evaluation-input.ts";
import { openRankingThreads } from "./ranking-threads.ts";
import { parquetReader, partRows } from "./reader.ts";

const readerMemoryBytesMax = 256 << 20;
/** Threads that rank, this one included: more would need more memory than a job is given. */
const rankingThreadsMax = 2;

await runJob(async (given, stopped) => {
  const input = parseStrict(
    EvaluationInput,
    given,
    "input of an evaluation job",
    "JOB_INPUT_INVALID",
  );
  const place = telemetryPlace(process.env);
  await using telemetry = await startTelemetry({ service: "evaluator", ...place });
  const parent = input.traceparent === undefined ? {} : { parent: input.traceparent };
  const attributes = { job: input.job, version: input.version };
  await telemetry.span("evaluation", { ...parent, attributes }, async () => {
    const options = { telemetry, actor: input.job };
    const { peers } = input;
    await using opened = new AsyncDisposableStack();
    const openHelpers = (rows: number) => {
      const parts = Math.ceil(rows / partRows);
      const count = Math.max(0, Math.min(rankingThreadsMax, availableParallelism(), parts) - 1);
      const options = { objects: input.objects, readerMemoryBytesMax };
      return opened.use(openRankingThreads(count, options)).helpers;
    };
    const objects = await openTracedObjects(input.objects, telemetry);
    const executor = await openExecutor({ kind: "auto" });
    await using db = await openDuckdb({
      threads: 1,
      memoryBytesMax: readerMemoryBytesMax,
      tempFolder: "",
    });
    await using registry = connect(RegistryService, peers.registry, options);
    await using featureStore = connect(FeatureStoreService, peers.featureStore, options);
    await using evaluator = connect(EvaluatorService, peers.evaluator, options);
    await using scheduler = openJobClient(input, telemetry);
    const signal = AbortSignal.any([stopped, scheduler.fenced]);
    const evaluation = await evaluate(
      {
        registry,
        featureStore,
        evaluator,
        scheduler,
        objects,
        reader: parquetReader(objects, db),
        openHelpers,
        openModel: (manifest) => openScorer({ objects, manifest, executor }),
        telemetry,
        cpuSeconds: () => {
          const { user, system } = process.cpuUsage();
          return (user + system) / 1e6;
        },
      },
      input,
      signal,
    );
    const request = { requestId: `${input.job}/${input.fence}`, evaluation };
    const recorded = await evaluator.recordEvaluation(request, { timeoutMs: callMs, signal });
    await scheduler.complete({ evaluation: recorded.evaluation });
  });
});
