import { connectLane } from "@heddle/lane";
import type { Jobs } from "@heddle/jobs";
import { ParameterServerService } from "@heddle/proto/parameter-server";
import { connect } from "@heddle/rpc";
import { silentTelemetry } from "@heddle/telemetry";
import { bytesOf } from "@heddle/tensor";
import { type Place, start } from "../train/gang.ts";
import { startServices } from "../train/services.ts";
import { dimension } from "./work.ts";

const { pull, push } = ParameterServerService.method;
const call = { timeoutMs: 60_000 };
const cutCall = { timeoutMs: 600_000 };
const fence = 1n;
const optimizer = { rate: 0.05, initialAccumulator: 0.1 };
const table = { name: "rows", dimension, initialDeviation: 0.05, seed: 3, versions: true };

/** The bench's one shard, as a learner declares it. */
export const declared = {
  ...{ run: "bench", fence, shard: 0, shards: 1, lag: 0 },
  tables: [{ ...table, ...optimizer }],
} as const;

/** A cut's file. */
export interface CutFile {
  readonly step: bigint;
  readonly object: { readonly name: string; readonly bytes: bigint; readonly sha256: string };
  readonly rows: number;
}

/** A shard in a process of its own, as a learner sees it: steps by lane, cuts by gRPC. */
export interface BenchShard extends AsyncDisposable {
  readonly step: bigint;
  pull(ids: Uint8Array): Promise<unknown>;
  push(ids: Uint8Array, gradients: Uint8Array, cut: boolean): Promise<unknown>;
  /** Takes a cut at the step it is at. */
  freeze(since?: bigint): Promise<void>;
  /** Writes the cut that was taken. */
  save(prefix: string): Promise<CutFile>;
  restore(base: CutFile, increment: CutFile): Promise<void>;
}

export async function openBenchShard(jobs: Jobs, place: Place, rowsMax: number) {
  await using stack = new AsyncDisposableStack();
  const services = stack.use(await startServices({ definitionJson: "{}", run: "snapshot" }));
  const own = { role: "shard-0", tableRowsMax: rowsMax };
  const job = await start(jobs, place, services.address, "shard", "shard-0", own);
  stack.defer(() => job.stop(10_000));
  await services.told.listening(["shard-0"]);
  const client = { telemetry: silentTelemetry(), actor: "bench" };
  const address = services.told.addresses["shard-0"] ?? "";
  const shard = stack.use(connect(ParameterServerService, address, client));
  await shard.configure({ ...declared, tables: [...declared.tables] }, call);
  const { signal } = new AbortController();
  const lane = stack.use(await connectLane(await shard.openLane({ fence }, call), { signal }));
  const opened = stack.move();
  let step = 0n;
  let cutAt = 0n;
  return {
    get step() {
      return step;
    },
    pull: (ids) =>
      lane.call(pull, { fence, step: step + 1n, tables: [{ table: table.name, ids }] }, call),
    push: async (ids, gradients, cut) => {
      step += 1n;
      const tables = [{ table: table.name, ids, gradients }];
      await lane.call(push, { fence, step, tables, dense: bytesOf(new Float32Array()), cut }, call);
    },
    freeze: async (since) => {
      cutAt = step;
      const from = since === undefined ? {} : { sinceStep: since };
      await shard.freeze({ fence, step, ...from }, call);
    },
    save: async (prefix) => {
      const at = cutAt;
      const { object, rows } = await shard.snapshot(
        { fence, step: at, objectPrefix: `${prefix}/${at}` },
        cutCall,
      );
      if (object === undefined) throw new Error("the shard wrote no file");
      return { step: at, object, rows: Number(rows) };
    },
    restore: async (base, increment) => {
      step = increment.step;
      const increments = [{ objects: [increment.object] }];
      await shard.restore({ fence, step, objects: [base.object], increments }, cutCall);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  } satisfies BenchShard;
}
