import { setImmediate as nextTurn } from "node:timers/promises";
import { type Backoff, type Clock, defaultBackoff, within } from "@heddle/base";
import { type EventLog, onlineTopic } from "@heddle/eventlog";
import { failpoint } from "@heddle/failpoint";
import type { LmdbEnvironment } from "@heddle/store";
import { rowsPerTurn } from "../lmdb-online.ts";
import type { OnlineRow, OnlineValues } from "../port.ts";
import { decodeRow, encodeRow, keyOf, rangeOf } from "../row.ts";
import { recordOf, type Said } from "./change.ts";
import { openFedTable } from "./fed-table.ts";

export interface ReplicaDeps {
  /** Holds the topic that all replicas are fed from. */
  readonly log: EventLog;
  /** Of this replica alone. */
  readonly environment: LmdbEnvironment;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly backoff?: Backoff;
  /** A `get` waits so long for a replica that is not whole, and `catchUp` for one that is behind; 10 s when absent. */
  readonly getWithinMs?: number;
  /** Replicas tell the log what it lacks within so long, so that one is first and the others need not; 5 s when absent. */
  readonly settleWithinMs?: number;
  /** `check` refuses a replica that is further behind the log; 30 s when absent. */
  readonly lagMsMax?: number;
  /** How often the log is asked how far it is; 1 s when absent. */
  readonly lookEveryMs?: number;
}

export interface OnlineReplica extends OnlineValues {
  /**
   * Whether this replica holds what the log did when it last began, goes on, and is not further behind than it may be. One that lags
   * answers `get` all the same: who has others to ask asks those.
   *
   * @throws {HeddleError} UNAVAILABLE ONLINE_REPLICA_BEHIND, ONLINE_REPLICA_LAGS; FAILED_PRECONDITION ONLINE_REPLICA_LOST; why the log or
   *   the disk refuses.
   */
  check(): Promise<void>;
}

const defaults = {
  ...{ backoff: defaultBackoff, getWithinMs: 10_000, settleWithinMs: 5_000 },
  ...{ lagMsMax: 30_000, lookEveryMs: 1_000 },
};

/**
 * Online values in a replica of this process, fed from a compacted topic of the log. A `put` resolves when the log has acknowledged it and
 * this replica has applied it, with all that was acknowledged before; other replicas follow. What `get` reads is a state that was, in which
 * nothing is there without what its writer had seen.
 *
 * `put` and `clear` throw as `append` of the log does, INVALID_ARGUMENT ROW_INVALID, and what keeps the replica from going on; `catchUp` as
 * `positions` of the log does, that, and ONLINE_REPLICA_LAGS; `get` DATA_LOSS RECORD_CORRUPT, and as `check` while the replica is not whole.
 */
export function openOnlineReplica(given: ReplicaDeps): OnlineReplica {
  const { getWithinMs, ...deps } = { ...defaults, ...given };
  const { log, clock } = deps;
  const fed = openFedTable(deps);
  const { table, progress, caughtUp, until, lagMs, check, checkWhole } = fed;

  const append = async (all: readonly { key: Buffer; said: Said }[]): Promise<void> => {
    // What it comes after is known once the log was there.
    if (progress.offsets.length === 0) await caughtUp();
    const after = progress.offsets;
    await log.append(
      onlineTopic,
      all.map((each) => recordOf({ ...each, after })),
    );
  };
  const inTime = (coming: Promise<void>) => within(getWithinMs, coming, clock);
  const untilWhole = async (): Promise<void> => {
    if (table.isWhole() || (await inTime(until(() => table.isWhole())))) return;
    checkWhole();
  };
  return {
    put: async (view, all) => {
      const { start: viewKey } = rangeOf(view);
      const rows = all.map((row) => ({ key: keyOf(view, row.key), row: encodeRow(view, row) }));
      for (let generation = -1; generation !== table.generation(viewKey);) {
        // A view that was cleared meanwhile took these rows with it: they are put again.
        const now = table.generation(viewKey);
        generation = now;
        await append(
          rows.map(({ key, row }) => ({
            key,
            said: { kind: "row", row: { ...row, generation: now } },
          })),
        );
        failpoint("online.put.after-append");
        await caughtUp();
      }
    },
    get: async (view, keys) => {
      await untilWhole();
      const found: (OnlineRow | undefined)[] = [];
      for (const [i, key] of keys.entries()) {
        if (i % rowsPerTurn === 0) await nextTurn();
        const row = table.row(keyOf(view, key));
        found.push(row && decodeRow(key, row));
      }
      return found;
    },
    clear: async (view) => {
      const { start: key } = rangeOf(view);
      await caughtUp();
      if (!table.holds(key)) return;
      const generation = table.generation(key) + 1;
      await append([{ key, said: { kind: "generation", generation } }]);
      failpoint("online.clear.after-append");
      await caughtUp();
    },
    catchUp: async () => {
      if (!(await inTime(caughtUp()))) throw fed.lags();
    },
    lagMs,
    check: async () => check(),
    [Symbol.asyncDispose]: async () => {
      await fed[Symbol.asyncDispose]();
    },
  };
}
