import assert from "node:assert/strict";
import { test } from "node:test";
import { countTraffic } from "./traffic.ts";

test("ids, rows, gradients and files of cuts are counted once they have moved", async () => {
  const values = {
    rows: { a: new Float32Array(4), b: new Float32Array(2) },
    dense: { d: new Float32Array(3) },
  };
  let fails = false;
  const { wire, moved } = countTraffic({
    restore: async () => undefined,
    pull: async () => values,
    push: async () => {
      if (fails) throw new Error("refused");
    },
    freeze: async () => undefined,
    snapshot: async () => ({ rows: 2, files: [{ name: "f", bytes: 70, sha256: "s" }] }),
    usage: async () => ({ cpuSeconds: 0, step: 0, lossSum: 0 }),
    [Symbol.asyncDispose]: async () => undefined,
  });
  const ids = BigUint64Array.of(1n, 2n);
  await wire.pull(1, ids);
  await wire.push(1, ids, values, false);
  assert.deepEqual(moved(), { pulled: 68, pushed: 68, saved: 0 });
  fails = true;
  await assert.rejects(wire.push(2, ids, values, false));
  await wire.snapshot(1, "p");
  assert.deepEqual(moved(), { pulled: 68, pushed: 68, saved: 70 });
});
