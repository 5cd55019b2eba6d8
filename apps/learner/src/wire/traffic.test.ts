import assert from "node:assert/strict";
import { test } from "node:test";
import { silentTelemetry } from "@heddle/telemetry";
import { nothingMoved, openTraffic } from "./traffic.ts";

test("bytes are summed by direction and by what spared them, and meters are told of each", () => {
  const told: [number, unknown][] = [];
  const counter = () => ({
    add: (bytes: number, attributes?: object) => void told.push([bytes, attributes]),
  });
  const { add, spare, moved } = openTraffic({ ...silentTelemetry(), counter });
  add("pulled", 68);
  spare("ids", 8);
  spare("format", 32);
  add("pulled", 2);
  const spared = { spared: 40, sparedByIds: 8, sparedByFormat: 32 };
  assert.deepEqual(moved(), { ...nothingMoved, pulled: 70, ...spared });
  assert.deepEqual(told[1], [8, { direction: "spared", means: "ids" }]);
  assert.equal(told.length, 4);
});
