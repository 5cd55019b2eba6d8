import { decodeParameters, encodeParameters } from "@heddle/artifact";
import { HeddleError } from "@heddle/base";
import type { Objects } from "@heddle/objects";
import {
  type ConfigureRequest,
  ParameterServerService,
  type PullRequest,
  type PushRequest,
  type RestoreRequest,
  type SnapshotRequest,
} from "@heddle/proto/parameter-server";
import { type CallContext, implement, type Implementation } from "@heddle/rpc";
import type { Telemetry } from "@heddle/telemetry";
import { bigUint64Of, bytesOf, float32Of } from "@heddle/tensor";
import { openChangeSignal } from "./change-signal.ts";
import { declarationDigest, declarationOf } from "./declaration.ts";
import { openShard, type Shard } from "./shard.ts";
import { openStepOrder, type StepOrder, type Turn } from "./step-order.ts";

/** CPU and memory of this process. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly peakMemoryBytes: number;
}

export interface ShardServiceDeps {
  readonly objects: Objects;
  readonly telemetry: Telemetry;
  readonly usage: () => Usage;
  /** Rows a table of this shard may hold: its bound on memory. */
  readonly tableRowsMax: number;
}

/** The run a shard belongs to, from its first Configure on. */
interface Configured {
  readonly digest: string;
  readonly request: ConfigureRequest;
  readonly shard: Shard;
  readonly order: StepOrder;
}

/**
 * Handlers of one shard. A call that must wait for its turn looks again after every change; what follows the
 * last look happens without an await, so nothing comes between a decision and its effect.
 */
export function shardService(deps: ShardServiceDeps): Implementation {
  const { objects, telemetry, usage, tableRowsMax } = deps;
  const change = openChangeSignal();
  let fence = 0n;
  let configured: Configured | undefined;

  const current = (token: bigint): Configured => {
    if (token < fence) throw fenced(token, fence);
    if (configured === undefined || token > fence) throw notConfigured(token, fence);
    return configured;
  };
  const turn = async (
    token: bigint,
    context: CallContext,
    ask: (order: StepOrder) => Turn,
    what: string,
  ): Promise<{ readonly run: Configured; readonly turn: Turn }> => {
    for (;;) {
      const run = current(token);
      const answer = ask(run.order);
      if (answer === "refuse") throw stepOrder(what, run.order.applied);
      if (answer !== "wait") return { run, turn: answer };
      await change.next(context.signal);
    }
  };

  const configure = async (request: ConfigureRequest) => {
    if (request.fence < fence) throw fenced(request.fence, fence);
    const digest = declarationDigest(request);
    if (configured !== undefined && configured.digest !== digest) {
      throw runDiffers(configured.request, request);
    }
    configured ??= {
      digest,
      request,
      shard: openShard(declarationOf(request), tableRowsMax),
      order: openStepOrder(request.lag),
    };
    fence = request.fence;
    change.changed();
    telemetry.log.info(
      { run: request.run, shard: request.shard, fence: Number(fence) },
      "shard configured",
    );
    return { step: BigInt(configured.order.applied) };
  };

  const pull = async (request: PullRequest, context: CallContext) => {
    const step = Number(request.step);
    const asked = (order: StepOrder): Turn => order.pullTurn(step);
    const { run } = await turn(request.fence, context, asked, `pull for step ${step}`);
    const rows = request.tables.map(({ table, ids }) =>
      bytesOf(run.shard.pull(table, bigUint64Of(ids))),
    );
    const dense = request.dense ? bytesOf(run.shard.pullDense()) : new Uint8Array();
    run.order.served(step);
    change.changed();
    return { rows, dense, step: BigInt(run.order.applied) };
  };

  const push = async (request: PushRequest, context: CallContext) => {
    const step = Number(request.step);
    const asked = (order: StepOrder): Turn => order.pushTurn(step, request.cut);
    const { run, turn: answer } = await turn(request.fence, context, asked, `push of step ${step}`);
    if (answer === "now") {
      const gradients = request.tables.map(({ table, ids, gradients: rows }) => ({
        table,
        ids: bigUint64Of(ids),
        gradients: float32Of(rows),
      }));
      run.shard.push(gradients, float32Of(request.dense));
      run.order.pushed(step, request.cut);
      change.changed();
    }
    return { step: BigInt(run.order.applied) };
  };

  const snapshot = async ({ fence: token, step, objectPrefix }: SnapshotRequest) => {
    const { shard, order, request } = current(token);
    if (BigInt(order.applied) !== step) throw stepOrder(`snapshot at step ${step}`, order.applied);
    const bytes = encodeParameters(shard.state());
    const name = `${objectPrefix}/shard-${request.shard}-of-${request.shards}.tensors`;
    return { object: objectRef(await objects.put(name, bytes)) };
  };

  const restore = async ({ fence: token, step, objects: parts }: RestoreRequest) => {
    current(token);
    const files: Uint8Array[] = [];
    for (const { name, sha256 } of parts) files.push(await objects.get(name, sha256));
    // The files took a while: a newer attempt may have taken over.
    const { shard, order } = current(token);
    if (files.length === 0) shard.reset();
    else shard.restore(files.map(decodeParameters));
    order.returnTo(Number(step));
    change.changed();
    return { rows: BigInt(shard.rows) };
  };

  const stats = async () => ({
    rows: BigInt(configured?.shard.rows ?? 0),
    tableBytes: BigInt(configured?.shard.bytes ?? 0),
    step: BigInt(configured?.order.applied ?? 0),
    cpuSeconds: usage().cpuSeconds,
    peakMemoryBytes: BigInt(usage().peakMemoryBytes),
  });

  return implement(ParameterServerService, { configure, pull, push, snapshot, restore, stats });
}

const objectRef = (info: { name: string; bytes: number; sha256: string }) => ({
  name: info.name,
  bytes: BigInt(info.bytes),
  sha256: info.sha256,
});

function fenced(token: bigint, fence: bigint): HeddleError {
  return new HeddleError(
    "ABORTED",
    "FENCED",
    `this shard obeys attempt ${fence}; attempt ${token} was replaced and must stop`,
    { metadata: { fence: String(fence) } },
  );
}

function notConfigured(token: bigint, fence: bigint): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "NOT_CONFIGURED",
    `attempt ${token} has not configured this shard (it obeys ${fence}): call Configure first`,
  );
}

function runDiffers(now: ConfigureRequest, asked: ConfigureRequest): HeddleError {
  const what = now.run === asked.run ? `another declaration of run ${now.run}` : `run ${asked.run}`;
  return new HeddleError(
    "FAILED_PRECONDITION",
    "RUN_DIFFERS",
    `this shard keeps shard ${now.shard} of ${now.shards} of run ${now.run} and cannot take ${what}: start a shard of its own for it`,
  );
}

function stepOrder(what: string, applied: number): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "STEP_ORDER",
    `${what} is out of order: the shard is at step ${applied}; return to the last snapshot`,
    { metadata: { applied: String(applied) } },
  );
}
