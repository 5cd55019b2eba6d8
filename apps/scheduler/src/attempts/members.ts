import { type Clock, present, orAborted } from "@heddle/base";

export interface JobProgress {
  readonly done: bigint;
  readonly total: bigint;
  readonly unit: string;
  readonly message: string;
}

/** What a job says with a heartbeat. */
export interface Beat {
  readonly address: string;
  readonly progress: JobProgress | undefined;
}

/** Members of a gang that listen. */
interface Gang {
  /** By role. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Members replaced so far. */
  readonly losses: number;
  /** By role: those that took a lost one's place. */
  readonly replacements: Readonly<
    Record<string, { readonly life: number; readonly lostForMs: number }>
  >;
}

export interface Leases {
  readonly leaseMs: number;
  /** The first heartbeat may take longer: a process has to load. */
  readonly firstBeatMs: number;
}

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
export interface Members {
  beat(role: string, beat: Beat): void;
  /** Roles whose lease has run out. */
  overdue(): readonly string[];
  /** Gives every job a new lease: the scheduler itself was asleep and could not hear. */
  renew(): void;
  /**
   * The other members that listen, once all of them do; rejects with the signal's reason, or undefined as the attempt ends.
   *
   * @param afterLosses waits until more members than that were replaced: who says so can do with that.
   */
  gang(role: string, signal: AbortSignal, afterLosses?: number): Promise<Gang | undefined>;
  /** Whether a job may be replaced alone: others call it, and all who do can do with another. */
  isReplaceable(role: string): boolean;
  /**
   * Another job takes the place of one that is lost, which is refused from now on.
   *
   * @returns the life of the other one, which is in its id.
   */
  replace(role: string): number;
  /** The leader's newest word. */
  progress(): JobProgress | undefined;
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
