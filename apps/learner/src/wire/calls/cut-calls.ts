import { present } from "@heddle/base";
import type { ObjectInfo } from "@heddle/objects";
import type { StatsResponse } from "@heddle/proto/parameter-server";
import { badAnswer } from "../shard/shard-layout.ts";
import type { Life, ShardLink } from "../shard/shard-link.ts";
import type { Traffic } from "../traffic.ts";
import type { CutPlace, Overlap, RowTurnover, Wire } from "../wire.ts";

/** Calls at cuts, and what of them a process has to know that takes a lost shard's place. */
export interface CutCalls extends Pick<Wire, "restore" | "freeze" | "snapshot" | "usage"> {
  /** The last cut that was asked for and not held, or restored. */
  readonly copied: number;
  /** Sum of the log losses from before the attempt. */
  readonly lossSum: number;
}

export function cutCalls(
  fence: bigint,
  links: readonly ShardLink[],
  timeoutMs: number,
  traffic: Traffic,
): CutCalls {
  let copied = 0;
  let lossSumBefore = 0;
  /** Lives of the processes that took the newest cut. */
  let frozen: readonly number[] = [];
  return {
    get copied() {
      return copied;
    },
    get lossSum() {
      return lossSumBefore;
    },
    restore: async (step, layers, lossSum = 0) => {
      [copied, lossSumBefore] = [step, lossSum];
      const request = { ...restoreRequest(fence, { step, layers }), lossSum };
      await each(links, (link) =>
        link.call(({ clients, signal }) => clients.traced.restore(request, { timeoutMs, signal })),
      );
    },
    freeze: async (step, since, hold = false) => {
      if (!hold) copied = step;
      const from = since === undefined ? {} : { sinceStep: BigInt(since) };
      const request = { fence, step: BigInt(step), ...from, hold };
      const freeze = async ({ clients, number, signal }: Life): Promise<number> => {
        await clients.traced.freeze(request, { timeoutMs, signal });
        return number;
      };
      frozen = await each(links, (link) => (hold ? link.call(freeze) : link.once(freeze)));
    },
    snapshot: async (step, objectPrefix) => {
      const lives = frozen;
      const saved = await each(links, async (link, shard) => {
        const request = { fence, step: BigInt(step), objectPrefix };
        const { object, rows } = await link.once(
          ({ clients, signal }) => clients.traced.snapshot(request, { timeoutMs, signal }),
          lives[shard],
        );
        if (object === undefined) throw badAnswer(shard, "a snapshot without its file");
        const { name, sha256 } = object;
        const bytes = Number(object.bytes);
        traffic.add("saved", bytes);
        return { file: { name, bytes, sha256 }, rows: Number(rows) };
      });
      return {
        files: saved.map(({ file }) => file),
        rows: saved.reduce((sum, { rows }) => sum + rows, 0),
      };
    },
    usage: async (at = 0) => {
      const request = { step: BigInt(at) };
      const stats = await each(links, (link) =>
        link.call(({ clients, signal }) => clients.traced.stats(request, { timeoutMs, signal })),
      );
      // Every shard hears of every push: one knows what learners told.
      const { step, lossSum, learnerCpuSeconds } = present(stats[0], "a shard's figures");
      const cpuSeconds = stats.reduce((sum, shard) => sum + shard.cpuSeconds, learnerCpuSeconds);
      const overlap = overlapOf(stats.flatMap((shard) => shard.overlap ?? []));
      const rows = turnoverOf(stats);
      return { step: Number(step), cpuSeconds, lossSum, rows, ...(overlap && { overlap }) };
    },
  };
}

/** What became of rows, on all shards together. */
function turnoverOf(stats: readonly StatsResponse[]): RowTurnover {
  const sum = (of: (shard: StatsResponse) => bigint): number =>
    stats.reduce((total, shard) => total + Number(of(shard)), 0);
  return {
    refused: sum(({ rowsRefused }) => rowsRefused),
    expired: sum(({ rowsExpired }) => rowsExpired),
    counted: sum(({ idsCounted }) => idsCounted),
  };
}

/** What a shard is told to return to a cut. */
export function restoreRequest(fence: bigint, { step, layers }: CutPlace) {
  const [objects = [], ...increments] = layers.map(({ files }) => files.map(refOf));
  return {
    ...{ fence, step: BigInt(step), objects },
    increments: increments.map((of) => ({ objects: of })),
  };
}

/** One for all shards; undefined in exact mode. */
function overlapOf(
  shards: readonly { pushes: bigint[]; inFlightMax: number; refused: bigint }[],
): Overlap | undefined {
  const [first] = shards;
  if (first === undefined) return undefined;
  const sum = (of: (shard: (typeof shards)[number]) => bigint | undefined): number =>
    shards.reduce((total, shard) => total + Number(of(shard) ?? 0n), 0);
  return {
    pushes: first.pushes.map((_, staleness) => sum(({ pushes }) => pushes[staleness])),
    inFlightMax: Math.max(...shards.map(({ inFlightMax }) => inFlightMax)),
    refused: sum(({ refused }) => refused),
  };
}

const refOf = ({ name, bytes, sha256 }: ObjectInfo) => ({ name, bytes: BigInt(bytes), sha256 });

const each = <S, T>(
  shards: readonly S[],
  call: (shard: S, number: number) => Promise<T>,
): Promise<T[]> => Promise.all(shards.map(call));
