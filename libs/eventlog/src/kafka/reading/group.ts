import { backoffMs, type InsistDeps } from "@heddle/base";
import { failpoint } from "@heddle/failpoint";
import { Consumer } from "@platformatic/kafka";
import { offsetGone } from "../../errors.ts";
import type { NewRecord, SubscribeOptions } from "../../port.ts";
import { consume, type Handle } from "../../subscription.ts";
import type { ClientOptions } from "../client.ts";
import { hasApiId, isMembershipLost, kafkaError, type Place } from "../errors.ts";
import { openPendingFetches, type PendingFetches } from "./pending-fetches.ts";
import type { Reader } from "./reader.ts";

/** What a subscription needs of its log. */
export interface GroupDeps extends InsistDeps {
  readonly options: ClientOptions;
  readonly place: Place;
  readonly reader: Reader;
  /** The topic and the group as the brokers know them. */
  readonly topic: string;
  readonly group: string;
  readonly sessionTimeoutMs: number;
  /** Makes the topic when it is not there. */
  prepare(): Promise<unknown>;
  /** Appends a dead letter of the topic. */
  bury(letter: NewRecord): Promise<void>;
}

/** The partition's new owner has it, or will: what was handled and not moved is handed over again, there. */
class MembershipLost extends Error {}

/**
 * Consumes a topic as a member of a group until the signal aborts. While the log is away it waits; when the group goes on without this
 * member, it joins again.
 */
export async function consumeInGroup(
  options: SubscribeOptions,
  handle: Handle,
  deps: GroupDeps,
  signal: AbortSignal,
): Promise<void> {
  for (let failures = 0; !signal.aborted;) {
    const startedMs = deps.clock.monotonicMs();
    try {
      await deps.prepare();
      await oneMembership(options, handle, deps, signal);
    } catch (error) {
      const shown = kafkaError(error, { ...deps.place, topic: deps.topic });
      if (shown.code !== "UNAVAILABLE") throw shown;
      const lasted = deps.clock.monotonicMs() - startedMs;
      failures = lasted > deps.sessionTimeoutMs ? 1 : failures + 1;
      const waitMs = backoffMs(deps.backoff, failures, deps.random());
      await deps.clock.sleep(waitMs, signal).catch(() => undefined);
    }
  }
}

/** From joining the group to leaving it; rejects when it has to be joined anew. */
async function oneMembership(
  options: SubscribeOptions,
  handle: Handle,
  deps: GroupDeps,
  signal: AbortSignal,
): Promise<void> {
  const { topic, sessionTimeoutMs } = deps;
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined);
  const fetching = new Consumer({ ...deps.options, groupId: deps.group });
  const turns = openTurns(
    options,
    handle,
    deps,
    openPendingFetches({ consumer: fetching, options: deps.options }, topic, options.topic),
    broken.reject,
    signal,
  );
  const member = new Consumer({ ...deps.options, groupId: deps.group });
  member.on("error", broken.reject);
  member.on("consumer:heartbeat:stalled", ({ lastError }) => broken.reject(lastError));
  member.on("consumer:group:join", ({ assignments = [] }) => {
    const mine = assignments
      .filter((one) => one.topic === topic)
      .flatMap(({ partitions }) => partitions);
    turns.start(mine, member);
  });
  const stopped = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => stopped.resolve(), { once: true });
  if (signal.aborted) return;
  try {
    member.topics.track(topic);
    const joined = member.joinGroup({
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: sessionTimeoutMs,
      heartbeatInterval: sessionTimeoutMs / 10,
      heartbeatStallTimeout: sessionTimeoutMs,
      // Asked for before each joining: until it answers, the group waits, and what is handled now is moved before others go on there.
      protocolsMetadata: async () => {
        await turns.end();
        return Buffer.alloc(0);
      },
    });
    await Promise.race([joined, broken.promise, stopped.promise]);
    await Promise.race([broken.promise, stopped.promise]);
  } finally {
    await turns.end();
    await member.close(true).catch(() => undefined);
    await fetching.close(true).catch(() => undefined);
  }
}

/** A turn: what a member consumes between two rebalances. */
interface Turns {
  start(partitions: readonly number[], member: Consumer): void;
  /** Ends the turn behind the records that are being handled, or interrupts them when they take long. */
  end(): Promise<void>;
}

function openTurns(
  options: SubscribeOptions,
  handle: Handle,
  deps: GroupDeps,
  fetches: PendingFetches,
  failed: (error: unknown) => void,
  signal: AbortSignal,
): Turns {
  let turn:
    { ending: AbortController; stopped: AbortController; ended: Promise<unknown> } | undefined;
  const end: Turns["end"] = async () => {
    const last = turn;
    if (last === undefined) return;
    last.ending.abort();
    const late = new AbortController();
    void deps.clock.sleep(deps.sessionTimeoutMs / 2, late.signal).then(
      () => last.stopped.abort(),
      () => undefined,
    );
    await last.ended;
    late.abort();
    if (turn === last) turn = undefined;
  };
  return {
    end,
    start: (partitions, member) => {
      const ending = new AbortController();
      const stopped = new AbortController();
      const both = AbortSignal.any([stopped.signal, signal]);
      const all = partitions.map((partition) =>
        consumePartition(partition, member, options, handle, deps, fetches, {
          ending: AbortSignal.any([ending.signal, both]),
          stopped: both,
        }).catch((error: unknown) => {
          // The member hears of it with its next heartbeat, and joins again.
          if (!(error instanceof MembershipLost)) failed(error);
        }),
      );
      turn = { ending, stopped, ended: Promise.all(all) };
    },
  };
}

async function consumePartition(
  partition: number,
  member: Consumer,
  options: SubscribeOptions,
  handle: Handle,
  deps: GroupDeps,
  fetches: PendingFetches,
  signals: { readonly ending: AbortSignal; readonly stopped: AbortSignal },
): Promise<void> {
  const { topic, place } = deps;
  const generation = member.generationId;
  const wrapped = async <T>(body: Promise<T>): Promise<T> => {
    try {
      return await body;
    } catch (error) {
      if (isMembershipLost(error)) throw new MembershipLost();
      throw kafkaError(error, { ...place, topic });
    }
  };
  const start = await wrapped(startOf(partition, member, deps));
  const source = {
    take: async (offset: number, signal: AbortSignal) => {
      try {
        return await fetches.take(partition, offset, signal);
      } catch (error) {
        if (!hasApiId(error, "OFFSET_OUT_OF_RANGE")) throw kafkaError(error, { ...place, topic });
        const position = await deps.reader.position(topic, partition);
        throw offsetGone(options.topic, partition, offset, position);
      }
    },
    move: async (offset: number, dead?: NewRecord) => {
      // A death behind it tries the record once more and buries it twice: its place is the letter's id.
      if (dead !== undefined) {
        await deps.bury(dead);
        failpoint("eventlog.subscribe.after-letter");
      }
      if (member.generationId !== generation) throw new MembershipLost();
      const moved = { topic, partition, offset: BigInt(offset), leaderEpoch: -1 };
      await wrapped(member.commit({ offsets: [moved] }));
    },
  };
  await consume(source, start, options, handle, signals, deps);
}

/** Where the group goes on; a new one begins where the partition does. */
async function startOf(partition: number, member: Consumer, deps: GroupDeps): Promise<number> {
  const { topic } = deps;
  const committed = await member.listCommittedOffsets({
    topics: [{ topic, partitions: [partition] }],
  });
  const offset = committed.get(topic)?.[partition] ?? -1n;
  if (offset >= 0n) return Number(offset);
  return (await deps.reader.position(topic, partition)).start;
}
