import { type Clock, present, orAborted } from "@heddle/base";
import type { Beat, Gang, JobProgress, Leases, LiveAttempt } from "./live-attempts.ts";

interface Member {
  address: string;
  progress: JobProgress | undefined;
  /** Monotonic milliseconds. */
  leaseEndsMs: number;
  /** Above 0 when it took a lost one's place, at that monotonic time. */
  life: number;
  replacedMs: number;
}

/** Heartbeats and addresses of an attempt's jobs, by role. */
export interface Members extends Pick<
  LiveAttempt,
  "overdue" | "renew" | "gang" | "isReplaceable" | "replace" | "progress"
> {
  beat(role: string, beat: Beat): void;
  /** Ends the waiting for the gang. */
  close(): void;
}

export function openMembers(
  clock: Clock,
  leases: Leases,
  roles: readonly string[],
  listening: readonly string[],
): Members {
  const { leaseMs, firstBeatMs } = leases;
  const leaseEndsMs = clock.monotonicMs() + firstBeatMs;
  const started = newMember(leaseEndsMs, 0, 0);
  const members = new Map<string, Member>(roles.map((role) => [role, { ...started }]));
  /** Those who can do with another member in a lost one's place. */
  const following = new Set<string>();
  let losses = 0;
  let closed = false;
  let changed = Promise.withResolvers<void>();
  const wake = (): void => {
    changed.resolve();
    changed = Promise.withResolvers();
  };
  return {
    beat: (role, { address, progress }) => {
      const member = present(members.get(role), `member ${role}`);
      member.leaseEndsMs = clock.monotonicMs() + leaseMs;
      member.progress = progress ?? member.progress;
      if (address === "" || address === member.address) return;
      member.address = address;
      wake();
    },
    overdue: () => {
      const now = clock.monotonicMs();
      return [...members].flatMap(([role, member]) => (member.leaseEndsMs <= now ? [role] : []));
    },
    renew: () => {
      const until = clock.monotonicMs() + leaseMs;
      for (const member of members.values()) {
        member.leaseEndsMs = Math.max(member.leaseEndsMs, until);
      }
    },
    gang: async (role, signal, afterLosses) => {
      if (afterLosses !== undefined) following.add(role);
      while (!closed) {
        const others = [...members].filter(
          ([other]) => other !== role && listening.includes(other),
        );
        const isWhole = others.every(([, { address }]) => address !== "");
        if (isWhole && (afterLosses === undefined || losses > afterLosses)) {
          return gangOf(others, losses, clock.monotonicMs());
        }
        await orAborted(changed.promise, signal);
      }
      return undefined;
    },
    isReplaceable: (role) =>
      listening.includes(role) &&
      role !== roles[0] &&
      roles.every((other) => listening.includes(other) || following.has(other)),
    replace: (role) => {
      losses += 1;
      const now = clock.monotonicMs();
      members.set(role, newMember(now + firstBeatMs, losses, now));
      return losses;
    },
    progress: () => members.get(roles[0] ?? "")?.progress,
    close: () => {
      closed = true;
      wake();
    },
  };
}

const newMember = (leaseEndsMs: number, life: number, replacedMs: number): Member => ({
  ...{ address: "", progress: undefined },
  ...{ leaseEndsMs, life, replacedMs },
});

function gangOf(
  others: readonly (readonly [string, Member])[],
  losses: number,
  nowMs: number,
): Gang {
  const replaced = others.filter(([, { life }]) => life > 0);
  return {
    addresses: Object.fromEntries(others.map(([role, { address }]) => [role, address])),
    losses,
    replacements: Object.fromEntries(
      replaced.map(([role, { life, replacedMs }]) => [
        role,
        { life, lostForMs: Math.round(nowMs - replacedMs) },
      ]),
    ),
  };
}
