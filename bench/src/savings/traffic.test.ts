import assert from "node:assert/strict";
import { test } from "node:test";
import { trafficRows } from "./traffic.ts";

test("bytes a step leave out files of cuts, and stand beside the first training's", () => {
  const of = (pulled: bigint, meanLoss: number) => ({
    ...{ steps: 4n, meanLoss },
    movedBytes: { pulled, pushed: 20n, saved: 999n, spared: 7n },
  });
  const rows = trafficRows([
    { name: "exact", summary: of(60n, 0.5) },
    { name: "half", summary: of(20n, 0.6) },
  ]);
  assert.deepEqual(
    rows.map(({ measure, value, ratio }) => [measure, value, ratio]),
    [
      ["bytes a step of exact", 20, undefined],
      ["bytes a step of half", 10, 0.5],
      ["mean loss of exact", 0.5, undefined],
      ["mean loss of half", 0.6, 1.2],
    ],
  );
  assert.deepEqual(trafficRows([]), []);
});
