import { lookup } from "node:dns/promises";
import { setTimeout as wait } from "node:timers/promises";
import { HeddleError, messageOf } from "@heddle/base";
import { openReplica, type Replica } from "./replica.ts";
import type { Target } from "./target.ts";
import type { Channels } from "./channel.ts";

/** The addresses of a host name. */
export type LookUp = (host: string) => Promise<readonly string[]>;

/** How long the first calls wait for a replica that says that it serves; then they go to any. */
const openingMs = 1_000;
/** Between two looks at a name, and while no replica of it serves. */
const [lookMs, lookIllMs] = [10_000, 1_000];

/**
 * Spreads calls over the replicas of a service, one after another, among those whose health says SERVING. When none does, any is asked:
 * its own error says more than ours would.
 */
export function openReplicas(
  target: Exclude<Target, { kind: "one" }>,
  lookUp: LookUp = allAddresses,
): Channels {
  const replicas = new Map<string, Replica>();
  const closing = new AbortController();
  const opened = Promise.withResolvers<void>();
  let opening: Promise<void> | undefined = Promise.race([opened.promise, elapsed(openingMs)]);
  void opening.then(() => (opening = undefined));
  let turn = 0;
  let problem: unknown;

  const ofState = (serving: boolean | undefined): readonly Replica[] =>
    [...replicas.values()].filter((each) => each.serving() === serving);
  const heard = (): void => {
    const allSpoke = replicas.size > 0 && ofState(undefined).length === 0;
    if (allSpoke || ofState(true).length > 0) opened.resolve();
  };
  const take = (addresses: readonly string[]): void => {
    for (const [address, replica] of replicas) {
      if (addresses.includes(address)) continue;
      replicas.delete(address);
      replica.close();
    }
    for (const address of addresses) {
      if (!replicas.has(address)) replicas.set(address, openReplica(address, heard));
    }
    heard();
  };
  const follow = async (host: string, port: string): Promise<void> => {
    while (!closing.signal.aborted) {
      try {
        const hosts = await lookUp(host);
        if (!closing.signal.aborted) take(hosts.map((each) => `${bracketed(each)}:${port}`));
      } catch (error) {
        // Names come and go with a name server; the replicas that are known may be well all the same.
        problem = error;
      }
      const ms = ofState(true).length > 0 ? lookMs : lookIllMs;
      await wait(ms, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  };
  if (target.kind === "list") take(target.addresses);
  else void follow(target.host, target.port);

  return {
    opening: () => opening,
    next: () => {
      const best = [true, undefined, false].map(ofState).find(({ length }) => length > 0);
      const replica = best?.[turn++ % best.length];
      if (replica === undefined) throw noAddress(target, problem);
      return replica;
    },
    close: () => {
      closing.abort();
      for (const replica of replicas.values()) replica.close();
    },
  };
}

async function allAddresses(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host);
const elapsed = (ms: number): Promise<void> => wait(ms, undefined, { ref: false });

function noAddress(target: Target, cause: unknown): HeddleError {
  const name = target.kind === "name" ? `${target.host}:${target.port}` : "the service";
  const why = cause === undefined ? "it was not found yet" : messageOf(cause);
  return new HeddleError(
    "UNAVAILABLE",
    "SERVICE_NOT_FOUND",
    `no address of ${name} is known (${why}): see whether its name is right and its name server answers; it is looked for all the time`,
    { cause },
  );
}
