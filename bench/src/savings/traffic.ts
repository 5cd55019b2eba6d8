import type { TrainingSummary } from "@heddle/proto/registry";
import type { Row } from "../row.ts";

/** What a training said of itself. */
export interface Trained {
  readonly name: string;
  readonly summary: Pick<TrainingSummary, "steps" | "meanLoss" | "movedBytes">;
}

/**
 * Bytes that a step moved between the learner and its shards, and the mean loss, of each training beside the first's.
 *
 * They are counts, not times: one run gives them, and their interval is a point.
 */
export function trafficRows(trained: readonly Trained[]): Row[] {
  const [exact, ...others] = trained;
  if (exact === undefined) return [];
  const beside = (unit: string, of: (summary: Trained["summary"]) => number): Row[] => {
    const peerValue = of(exact.summary);
    const row = ({ name, summary }: Trained): Row => {
      const value = of(summary);
      return { measure: `${unit} of ${name}`, unit, value, low: value, high: value, runs: 1 };
    };
    return [
      row(exact),
      ...others.map((one): Row => {
        const ratio = of(one.summary) / peerValue;
        const peer = { peer: exact.name, peerValue, ratio, ratioLow: ratio, ratioHigh: ratio };
        return { ...row(one), ...peer };
      }),
    ];
  };
  return [
    ...beside(
      "bytes a step",
      ({ steps, movedBytes: { pulled = 0n, pushed = 0n } }) =>
        Number(pulled + pushed) / Number(steps),
    ),
    ...beside("mean loss", ({ meanLoss }) => meanLoss),
  ];
}
