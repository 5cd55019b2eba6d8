import { seededRandom } from "@heddle/base";
import assert from "node:assert/strict";
import { test } from "node:test";
import { graphExecutors } from "../fixtures/graph-executors.ts";
import { wideModels } from "../fixtures/wide-models.ts";
import { openExecutor } from "../open-executor.ts";
import type { StepSpec, TensorData } from "../port.ts";
import { drawInputs } from "../step-inputs.ts";
import { largestRowError } from "./verify.ts";

function inputsOf(spec: StepSpec, rows: number): Record<string, TensorData> {
  const style = { low: -0.5, high: 0.5, idsBelow: 6 };
  const inputs = drawInputs(spec, rows, style, seededRandom(rows));
  return { ...inputs, label: Float32Array.from({ length: rows }, (_, i) => i % 2) };
}

for (const { kind, options, open } of graphExecutors) {
  for (const [name, { step, spec }] of Object.entries(wideModels)) {
    test(
      `${kind}: ${name} trains as a graph, each row as TensorFlow.js's to 1e-5`,
      options,
      async () => {
        await using graph = await (await open()).compile(step, spec);
        await using opByOp = await (await openExecutor({ kind: "tfjs" })).compile(step, spec);
        assert.equal(graph.fallbackReason, undefined);
        for (const rows of [1, 2, 17, 61]) {
          const [inputs, seed] = [inputsOf(spec, rows), { seed: [3, rows] }];
          const want = await opByOp.run(inputs, rows, seed);
          const got = await graph.run(inputs, rows, seed);
          for (const [output, values] of Object.entries(want)) {
            const error = largestRowError(values, got[output]!, rows);
            // A gradient that is 0, as of a bias before batch normalisation, is computed as rounding.
            const least = values.reduce(
              (most, x, i) => Math.max(most, Math.abs(x - got[output]![i]!)),
              0,
            );
            assert.ok(
              error < 1e-5 || least < 1e-7,
              `${output} with ${rows} rows is off by ${error}, ${least}`,
            );
          }
        }
        assert.equal(graph.fallbackReason, undefined);
      },
    );
  }
}
