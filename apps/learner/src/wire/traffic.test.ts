import assert from "node:assert/strict";
import { test } from "node:test";
import { silentTelemetry } from "@heddle/telemetry";
import { openTraffic } from "./traffic.ts";

test("bytes are summed by direction, and meters are told of each", () => {
  const told: [number, unknown][] = [];
  const counter = () => ({
    add: (bytes: number, attributes?: object) => void told.push([bytes, attributes]),
  });
  const { add, moved } = openTraffic({ ...silentTelemetry(), counter });
  add("pulled", 68);
  add("spared", 8);
  add("pulled", 2);
  assert.deepEqual(moved(), { pulled: 70, pushed: 0, saved: 0, spared: 8 });
  assert.deepEqual(told[1], [8, { direction: "spared" }]);
  assert.equal(told.length, 3);
});
