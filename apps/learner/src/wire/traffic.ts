import type { Telemetry } from "@heddle/telemetry";

/** Bytes between a learner and its shards, as values are, without what carries them: so lane and gRPC count alike. */
export interface Moved {
  /** Ids asked for, rows and dense parameters that came. */
  readonly pulled: number;
  /** Ids and gradients sent. */
  readonly pushed: number;
  /** Files of cuts. */
  readonly saved: number;
  /** What would have moved beside, if each table were asked and told with ids of its own, and with float32 values: the sum of the rest. */
  readonly spared: number;
  /** Of that: ids that were named by their list. */
  readonly sparedByIds: number;
  /** Of that: values in fewer bytes than float32. */
  readonly sparedByFormat: number;
  /** Of that: rows of earlier pulls. */
  readonly sparedByCache: number;
}

/** What spares bytes. */
type Means = "ids" | "format" | "cache";

/** Counts them, and tells meters. */
export interface Traffic {
  add(direction: "pulled" | "pushed" | "saved", bytes: number): void;
  spare(means: Means, bytes: number): void;
  moved(): Moved;
}

const totals = {
  ids: "sparedByIds",
  format: "sparedByFormat",
  cache: "sparedByCache",
} as const;

export const nothingMoved: Moved = {
  ...{ pulled: 0, pushed: 0, saved: 0 },
  ...{ spared: 0, sparedByIds: 0, sparedByFormat: 0, sparedByCache: 0 },
};

export function openTraffic(telemetry: Telemetry): Traffic {
  const about = "bytes between a learner and its shards, by direction; spared did not have to move";
  const counter = telemetry.counter("heddle.learner.wire_bytes", "By", about);
  const moved: Record<keyof Moved, number> = { ...nothingMoved };
  return {
    add: (direction, bytes) => {
      moved[direction] += bytes;
      counter.add(bytes, { direction });
    },
    spare: (means, bytes) => {
      moved.spared += bytes;
      moved[totals[means]] += bytes;
      counter.add(bytes, { direction: "spared", means });
    },
    moved: () => ({ ...moved }),
  };
}
