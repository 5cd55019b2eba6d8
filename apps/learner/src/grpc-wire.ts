import { HeddleError } from "@heddle/base";
import { gatherRows, scatterRows, type ShardIds, splitByShard } from "@heddle/kernels";
import type { ObjectInfo } from "@heddle/objects";
import { ParameterServerService, type PullResponse } from "@heddle/proto/parameter-server";
import { type Client, connect } from "@heddle/rpc";
import { silentTelemetry, type Telemetry } from "@heddle/telemetry";
import { bytesOf, float32Of } from "@heddle/tensor";
import type { Network } from "./network.ts";
import type { Gradients, Pulled, RunDeclaration, Wire } from "./wire.ts";

export interface GrpcWireOptions {
  /** `host:port` of each shard, in order of their numbers. */
  readonly addresses: readonly string[];
  /** The learner's job id. */
  readonly actor: string;
  readonly telemetry: Telemetry;
  /** Every n-th step's pull and push is a span; the others leave none. */
  readonly traceEverySteps: number;
  /** Ends all calls. */
  readonly signal: AbortSignal;
}

type Dense = Network["dense"];
type DenseParameter = Dense[number];

/** For calls of a step: the longest a push may wait for a pull, and so for a step's computation. */
const stepCallMs = 60_000;
/** For calls that move a whole shard. */
const shardCallMs = 300_000;

/** Connects to the shards and configures each with its part: dense parameters go to the shard that has least yet. */
export async function openGrpcWire(
  declaration: RunDeclaration,
  options: GrpcWireOptions,
): Promise<Wire> {
  const { addresses, actor, telemetry, signal, traceEverySteps } = options;
  const shards = addresses.length;
  const fence = BigInt(declaration.fence);
  const traced = addresses.map((address) =>
    connect(ParameterServerService, address, { telemetry, actor }),
  );
  const quiet = addresses.map((address) =>
    connect(ParameterServerService, address, { telemetry: silentTelemetry(), actor }),
  );
  const denseOf = assignDense(declaration.dense, shards);
  const tables = declaration.tables;
  const stepCall = { timeoutMs: stepCallMs, signal };
  const shardCall = { timeoutMs: shardCallMs, signal };
  const clientsAt = (step: number) => (step % traceEverySteps === 0 ? traced : quiet);
  const each = <T>(
    clients: readonly Client<typeof ParameterServerService>[],
    call: (client: Client<typeof ParameterServerService>, shard: number) => Promise<T>,
  ): Promise<T[]> => Promise.all(clients.map(call));

  await each(traced, (client, shard) =>
    client.configure(
      {
        run: declaration.run,
        fence,
        shard,
        shards,
        lag: declaration.lag,
        tables: [...tables],
        dense: (denseOf[shard] ?? []).map(({ name, initial, rate, initialAccumulator }) => ({
          name,
          initial: bytesOf(initial),
          rate,
          initialAccumulator,
        })),
      },
      shardCall,
    ),
  );

  return {
    restore: async (step, files) => {
      const objects = files.map((file) => ({ ...file, bytes: BigInt(file.bytes) }));
      await each(traced, (client) =>
        client.restore({ fence, step: BigInt(step), objects }, shardCall),
      );
    },
    pull: async (step, ids) => {
      const parts = splitByShard(ids, shards);
      const answers = await each(clientsAt(step), (client, shard) => {
        const wanted = bytesOf(parts[shard]?.ids ?? new BigUint64Array());
        return client.pull(
          {
            fence,
            step: BigInt(step),
            tables: tables.map(({ name }) => ({ table: name, ids: wanted })),
            dense: (denseOf[shard] ?? []).length > 0,
          },
          stepCall,
        );
      });
      return assemble(declaration, denseOf, ids.length, parts, answers);
    },
    push: async (step, ids, gradients, cut) => {
      const parts = splitByShard(ids, shards);
      await each(clientsAt(step), (client, shard) => {
        const own = parts[shard] ?? { ids: new BigUint64Array(), positions: new Int32Array() };
        return client.push(
          {
            fence,
            step: BigInt(step),
            tables: tables.map(({ name, dimension }) => ({
              table: name,
              ids: bytesOf(own.ids),
              gradients: bytesOf(rowsOf(gradients, name, dimension, own.positions)),
            })),
            dense: bytesOf(denseGradients(gradients, denseOf[shard] ?? [])),
            cut,
          },
          stepCall,
        );
      });
    },
    snapshot: async (step, objectPrefix) =>
      each(traced, async (client, shard) => {
        const { object } = await client.snapshot(
          { fence, step: BigInt(step), objectPrefix },
          shardCall,
        );
        if (object === undefined) throw badAnswer(shard, "a snapshot without its file");
        return { name: object.name, bytes: Number(object.bytes), sha256: object.sha256 };
      }),
    usage: async () => {
      const stats = await each(traced, (client) => client.stats({}, stepCall));
      return {
        cpuSeconds: stats.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
        rows: stats.reduce((sum, { rows }) => sum + Number(rows), 0),
      };
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of [...traced, ...quiet]) await client[Symbol.asyncDispose]();
    },
  };
}

/** Largest first, each to the shard with the fewest values; the bytes of a run do not depend on it. */
function assignDense(dense: Dense, shards: number): DenseParameter[][] {
  const assigned: DenseParameter[][] = Array.from({ length: shards }, () => []);
  const loads = new Array<number>(shards).fill(0);
  const bySize = dense.toSorted((a, b) => b.initial.length - a.initial.length);
  for (const parameter of bySize) {
    const shard = loads.indexOf(Math.min(...loads));
    assigned[shard]?.push(parameter);
    loads[shard] = (loads[shard] ?? 0) + parameter.initial.length;
  }
  return assigned;
}

function assemble(
  { tables }: RunDeclaration,
  denseOf: readonly Dense[],
  ids: number,
  parts: readonly ShardIds[],
  answers: readonly PullResponse[],
): Pulled {
  const rows: Record<string, Float32Array> = {};
  tables.forEach(({ name, dimension }, t) => {
    const out = new Float32Array(ids * dimension);
    answers.forEach((answer, shard) => {
      const positions = parts[shard]?.positions ?? new Int32Array();
      const own = float32Of(answer.rows[t] ?? new Uint8Array());
      if (own.length !== positions.length * dimension) {
        throw badAnswer(shard, `${own.length} values of table ${name}`);
      }
      scatterRows(own, dimension, positions, out);
    });
    rows[name] = out;
  });
  const dense: Record<string, Float32Array> = {};
  answers.forEach((answer, shard) => {
    const values = float32Of(answer.dense);
    let at = 0;
    for (const { name, initial } of denseOf[shard] ?? []) {
      if (at + initial.length > values.length) throw badAnswer(shard, `too few values of ${name}`);
      dense[name] = values.subarray(at, at + initial.length);
      at += initial.length;
    }
  });
  return { rows, dense };
}

function rowsOf(
  { rows }: Gradients,
  table: string,
  dimension: number,
  positions: Int32Array,
): Float32Array {
  const out = new Float32Array(positions.length * dimension);
  gatherRows(rows[table] ?? new Float32Array(), dimension, positions, out);
  return out;
}

function denseGradients({ dense }: Gradients, of: Dense): Float32Array {
  const out = new Float32Array(of.reduce((sum, { initial }) => sum + initial.length, 0));
  let at = 0;
  for (const { name, initial } of of) {
    out.set(dense[name] ?? [], at);
    at += initial.length;
  }
  return out;
}

function badAnswer(shard: number, what: string): HeddleError {
  return new HeddleError(
    "INTERNAL",
    "BAD_SHARD_ANSWER",
    `shard ${shard} answered ${what}, which is not what was asked: both must be of one release`,
  );
}
