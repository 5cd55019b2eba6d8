/** Composition root of an evaluation: started by the scheduler, measures one version and ends. */
import { parseStrict } from "@heddle/config";
import { openExecutor } from "@heddle/executor";
import { openDuckdb } from "@heddle/feature-engine";
import { makeAttempt } from "@heddle/jobclient";
import { runJob } from "@heddle/jobs";
import { openScorer } from "@heddle/model";
import { EvaluatorService } from "@heddle/proto/evaluator";
import { FeatureStoreService } from "@heddle/proto/feature-store";
import { RegistryService } from "@heddle/proto/registry";
import { connect } from "@heddle/rpc";
import { availableParallelism } from "node:os";
import { callMs } from "./evaluation/deps.ts";
import { evaluate } from "./evaluation/evaluate.ts";
import { EvaluationInput } from "./evaluation/evaluation-input.ts";
import { openRankingThreads } from "./ranking/ranking-threads.ts";
import { parquetReader, partRows } from "./scoring/reader.ts";

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
  const { peers, version } = input;
  const as = { service: "evaluator", span: "evaluation", attributes: { version } };
  const options = { ...as, environment: process.env, stopped };
  await makeAttempt(input, options, async ({ telemetry, objects, scheduler, client, signal }) => {
    await using opened = new AsyncDisposableStack();
    const openThreads = (rows: number) => {
      const parts = Math.ceil(rows / partRows);
      const count = Math.max(0, Math.min(rankingThreadsMax, availableParallelism(), parts) - 1);
      const reading = { objects: input.objects, readerMemoryBytesMax };
      return opened.use(openRankingThreads(count, reading)).threads;
    };
    const executor = await openExecutor({ kind: "auto" });
    await using db = await openDuckdb({
      threads: 1,
      memoryBytesMax: readerMemoryBytesMax,
      tempFolder: "",
    });
    await using registry = connect(RegistryService, peers.registry, client);
    await using featureStore = connect(FeatureStoreService, peers.featureStore, client);
    await using evaluator = connect(EvaluatorService, peers.evaluator, client);
    const evaluation = await evaluate(
      {
        registry,
        featureStore,
        evaluator,
        scheduler,
        objects,
        reader: parquetReader(objects, db),
        openThreads,
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
