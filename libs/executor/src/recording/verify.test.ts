import assert from "node:assert/strict";
import { test } from "node:test";
import type { OpByOpStep } from "../tfjs/op-by-op.ts";
import type { Session } from "./session.ts";
import { disagreement, largestRowError } from "./verify.ts";

const spec = { name: "copy", inputs: { x: { dtype: "float32", shape: ["rows"] } } } as const;

const copy = { runNow: ({ x }) => ({ y: Float32Array.from(x!) }) } as Partial<OpByOpStep>;

/** A graph that copies, but adds a little on the calls named. */
function graphWrongOn(calls: readonly number[]): Session {
  let call = 0;
  return {
    run: async ({ x }) => {
      call += 1;
      const error = calls.includes(call) ? 0.01 : 0;
      return { y: Float32Array.from(x!, (value) => value + error) };
    },
    close: async () => {},
  };
}

test("a difference on one batch of three is a ReLU's flip; on two it is an error", async () => {
  const judge = (calls: readonly number[]): Promise<string | undefined> =>
    disagreement(graphWrongOn(calls), copy as OpByOpStep, spec);
  assert.equal(await judge([]), undefined);
  assert.equal(await judge([1]), undefined);
  assert.match((await judge([1, 2, 3])) ?? "", /output "y" of the graph is off by/);
  assert.match((await judge([1, 3])) ?? "", /output "y" of the graph is off by/);
  assert.match((await judge([1, 2])) ?? "", /output "y" of the graph is off by/);
});

test("a graph that throws is refused with its own words", async () => {
  const graph: Session = {
    run: async () => {
      throw new Error("bad shape");
    },
    close: async () => {},
  };
  const reason = await disagreement(graph, copy as OpByOpStep, spec);
  assert.equal(reason, "the graph failed on 37 rows: bad shape");
});

test("each row is judged by its own scale, and nothing hides behind NaN or a missing element", () => {
  const want = Float32Array.from({ length: 74 }, (_, i) => (i < 2 ? 1e4 : 1));
  const got = want.slice();
  got[73] = 1.001;
  const typical = Math.sqrt((2 * 1e8 + 72) / 74);
  assert.ok(Math.abs(largestRowError(want, got, 37) / (0.001 / typical) - 1) < 1e-3);
  assert.equal(largestRowError(want, want, 37), 0);
  got[0] = NaN;
  assert.ok(Number.isNaN(largestRowError(want, got, 37)));
  assert.equal(largestRowError(want, want.subarray(1), 37), Infinity);
  assert.equal(largestRowError(new Float32Array(1), Float32Array.of(1), 37), Infinity);
});

test("what is nothing but rounding may differ; what is small but meant may not", async () => {
  const noise = (x: number): number => Math.fround(Math.fround(x * 3) - x * 3);
  const step = (f: (x: number) => number): OpByOpStep =>
    ({ runNow: ({ x }) => ({ y: Float32Array.from(x!, f) }) }) as Partial<OpByOpStep> as OpByOpStep;
  const graph = (f: (x: number) => number): Session => ({
    run: async ({ x }) => ({ y: Float32Array.from(x!, f) }),
    close: async () => {},
  });
  assert.equal(
    await disagreement(
      graph((x) => -noise(x)),
      step(noise),
      spec,
    ),
    undefined,
  );
  const small = await disagreement(
    graph((x) => 1.001e-9 * x),
    step((x) => 1e-9 * x),
    spec,
  );
  assert.match(small ?? "", /output "y" of the graph is off by/);
});
