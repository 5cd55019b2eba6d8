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

const plain = tinyDefinition();
const narrow = tinyDefinition({ precision: "bfloat16" });
/** onnx has no bfloat16, whatever the processor. */
const says = [/^products in float32: onnxruntime has no matrix products in bfloat16/];

test("bfloat16 that is asked for in vain is a remark, on this thread and on one of its own", async () => {
  const folder = mkdtempSync(join(tmpdir(), "heddle-compute-"));
  const objects = await openFileObjects({ path: folder });
  const local = localCompute(await openExecutor({ kind: "onnx" }), objects);
  await using thread = await openComputeThread({ executor: { kind: "onnx" }, objects: folder });
  for (const compute of [local, thread]) {
    for (const [definition, remarks] of [
      [plain, []],
      [narrow, says],
    ] as const) {
      await using _ = await compute.open(definition);
      const got = compute.remarks();
      assert.equal(got.length, remarks.length);
      remarks.forEach((remark, i) => {
        assert.match(got[i]!, remark);
      });
    }
  }
  rmSync(folder, { recursive: true });
});
