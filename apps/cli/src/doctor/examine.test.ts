import assert from "node:assert/strict";
import { test } from "node:test";
import { tensorflow } from "./examine.ts";

const setUp = "npm run setup:tensorflow";

test("TensorFlow is needed by nobody, but a broken one is to be mended", () => {
  const absent = tensorflow({ kind: "absent", possible: true, setUp });
  assert.ok(absent.holds);
  assert.match(absent.found, /not needed; to have it: npm run setup:tensorflow/);
  const elsewhere = tensorflow({ kind: "absent", possible: false, setUp });
  assert.ok(elsewhere.holds && !elsewhere.found.includes(setUp));
  const broken = tensorflow({ kind: "broken", why: "no such symbol", setUp });
  assert.deepEqual([broken.holds, broken.found], [false, "no such symbol"]);
  assert.match(broken.remedy, /npm run setup:tensorflow/);
  const runs = tensorflow({ kind: "runs", version: "2.15.1", gpu: false, setUp });
  assert.equal(runs.found, "TensorFlow 2.15.1 on the CPU");
});
