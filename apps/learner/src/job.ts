import { once } from "node:events";
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { sha256, systemClock } from "@heddle/base";
import { parseStrict } from "@heddle/config";
import { makeAttempt } from "@heddle/jobclient";
import { usageOfProcess } from "@heddle/jobs";
import type { Objects } from "@heddle/objects";
import { FeatureStoreService } from "@heddle/proto/feature-store";
import { RegistryService } from "@heddle/proto/registry";
import { connect, type Implementation } from "@heddle/rpc";
import { type Telemetry, telemetryPlace } from "@heddle/telemetry";
import type { TrainDeps } from "./deps.ts";
import { instructionSet } from "./environment.ts";
import { followTraining } from "./gang/follow.ts";
import { openLaneWire } from "./wire/lane-wire.ts";
import { openLocalWire } from "./wire/local-wire.ts";
import { openMeters } from "./meters/meters.ts";
import { openQueues } from "./meters/queues.ts";
import { runTraining } from "./run.ts";
import { openDataThread } from "./threads/data-thread.ts";
import { openCompute } from "./threads/open-compute.ts";
import { TrainInput } from "./train-input.ts";

const readerMemoryBytesMax = 256 << 20;
/** In a gang a step's call waits for other learners too, and for the snapshot that their leader writes. */
const gangStepCallMs = 300_000;
const traceEveryStepsDefault = 100;

/** Opens the one shard that a learner has in its own process. */
export type OpenOwnShard = (
  deps: Readonly<{ objects: Objects; telemetry: Telemetry }>,
) => { readonly implementation: Implementation } & AsyncDisposable;

/**
 * One learner's part of one attempt of one run.
 *
 * @param given the job's input.
 * @param openOwnShard where the learner keeps the parameters itself; else the gang has shards.
 */
export async function trainAsJob(
  given: unknown,
  stopped: AbortSignal,
  openOwnShard?: OpenOwnShard,
): Promise<void> {
  const input = parseStrict(TrainInput, given, "input of a learner", "JOB_INPUT_INVALID");
  const {
    traceEverySteps = telemetryPlace(process.env).traceEverySteps ?? traceEveryStepsDefault,
  } = input;
  const as = { service: "learner", span: "train", attributes: { "heddle.dataset": input.dataset } };
  const options = { ...as, environment: process.env, stopped };
  await makeAttempt(input, options, async ({ telemetry, objects, scheduler, client, signal }) => {
    await using registry = connect(RegistryService, input.peers.registry, client);
    await using featureStore = connect(FeatureStoreService, input.peers.featureStore, client);
    await using own = openOwnShard?.({ objects, telemetry });
    const queues = openQueues(systemClock);
    const reading = { objects: input.objects, readerMemoryBytesMax };
    await using data = openDataThread(reading, queues.batch.add);
    await using compute = await openCompute({
      executor: { kind: input.executor, threads: input.executorThreads },
      objects: input.objects,
    });
    const threads = { data: data.thread, compute: compute.thread };
    using meters = openMeters(systemClock, threads, queues);
    const deps: TrainDeps = {
      clock: systemClock,
      telemetry,
      objects,
      registry,
      featureStore,
      scheduler,
      openExamples: data.examples,
      compute,
      meters,
      environment: {
        node: process.version,
        instructionSet: instructionSet(process.arch, cpuinfo()),
        lockFileSha256: input.lockFileSha256 ?? lockFileSha256(),
      },
      openWire: (declaration, addresses) => {
        const sharesMemory = compute.thread !== undefined;
        const wire = { ...client, traceEverySteps, sharesMemory, signal };
        if (own !== undefined) return openLocalWire(declaration, [own.implementation], wire);
        const patience = input.learners > 1 ? { stepCallMs: gangStepCallMs } : {};
        return openLaneWire(declaration, { ...wire, ...patience, addresses });
      },
      usage: usageOfProcess,
      traceEverySteps,
    };
    if (input.learner === 0) {
      await scheduler.complete(await runTraining(deps, input, signal));
      return;
    }
    await followTraining(deps, input, signal);
    // The gang is stopped as one, once its leader's result is durable.
    if (!signal.aborted) await once(signal, "abort");
    scheduler.fenced.throwIfAborted();
  });
}

function cpuinfo(): string {
  return process.platform === "linux"
    ? readFileSync("/proc/cpuinfo", "utf8")
    : (cpus()[0]?.model ?? "");
}

/** The workspace's, which is the release that runs. */
function lockFileSha256(): string {
  return sha256(readFileSync(new URL("../../../package-lock.json", import.meta.url)));
}
