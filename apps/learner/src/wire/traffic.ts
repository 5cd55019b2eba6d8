import type { Telemetry } from "@heddle/telemetry";

/** Bytes between a learner and its shards, as values are, without what carries them: so lane and gRPC count alike. */
export interface Moved {
  /** Ids asked for, rows and dense parameters that came. */
  readonly pulled: number;
  /** Ids and gradients sent. */
  readonly pushed: number;
  /** Files of cuts. */
  readonly saved: number;
  /** What would have moved beside, if each table were asked and told with ids of its own, and with float32 values. */
  readonly spared: number;
}

/** Counts them, and tells meters. */
export interface Traffic {
  add(direction: keyof Moved, bytes: number): void;
  moved(): Moved;
}

export function openTraffic(telemetry: Telemetry): Traffic {
  const about = "bytes between a learner and its shards, by direction; spared did not have to move";
  const counter = telemetry.counter("heddle.learner.wire_bytes", "By", about);
  const moved = { pulled: 0, pushed: 0, saved: 0, spared: 0 };
  return {
    add: (direction, bytes) => {
      moved[direction] += bytes;
      counter.add(bytes, { direction });
    },
    moved: () => ({ ...moved }),
  };
}
