import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openExecutor } from "@heddle/executor";
import { openFileObjects } from "@heddle/objects";
import { localCompute } from "./compute.ts";
import { tinyDefinition } from "./fixtures/data.ts";
import { openComputeThread } from "./threads/compute-thread.ts";

/** onnx has no bfloat16, whatever the processor. */
const cases = [
  [tinyDefinition(), /\(graph\)$/],
  [
    tinyDefinition({ precision: "bfloat16" }),
    /\(graph\); products in float32: onnxruntime has no matrix products in bfloat16/,
  ],
] as const;

test("bfloat16 that is asked for in vain is said, by this thread and by one of its own", async () => {
  const folder = mkdtempSync(join(tmpdir(), "heddle-compute-"));
  const objects = await openFileObjects({ path: folder });
  const local = localCompute(await openExecutor({ kind: "onnx" }), objects);
  await using thread = await openComputeThread({ executor: { kind: "onnx" }, objects: folder });
  for (const compute of [local, thread]) {
    for (const [definition, says] of cases) {
      await using _ = await compute.open(definition);
      assert.match((await compute.runs())?.stepExecutor ?? "", says);
    }
  }
  rmSync(folder, { recursive: true });
});
