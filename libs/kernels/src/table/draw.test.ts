import assert from "node:assert/strict";
import { test } from "node:test";
import { mix32 } from "@heddle/base";
import { drawRow, logOf, turnOf } from "../fixtures/draw-row.ts";
import { createTable } from "./table.ts";

const some = [0, 1, 2 ** 29, 2 ** 30, 2 ** 31, 2 ** 32 - 1];
const bits = [...some, ...Array.from({ length: 20_000 }, (_, n) => mix32(7, n))];

test("the series are logarithm, cosine and sine to the last bits of a float64", () => {
  for (const one of bits) {
    const log = Math.log((one + 0.5) / 2 ** 32);
    assert.ok(Math.abs(logOf(one) - log) <= 4e-16 * Math.max(1, -log), `log of ${one}`);
    const angle = (2 * Math.PI * one) / 2 ** 32;
    const [cosine, sine] = turnOf(one);
    assert.ok(Math.abs(cosine - Math.cos(angle)) < 2e-15, `cosine of ${one}`);
    assert.ok(Math.abs(sine - Math.sin(angle)) < 2e-15, `sine of ${one}`);
  }
});

test("the kernel draws what the same operations give in JavaScript, bit for bit", () => {
  const optimizer = { kind: "sgd", rate: 0.1 } as const;
  for (const dimension of [1, 2, 3, 4, 7, 16]) {
    const spec = { seed: 11, dimension, initialDeviation: 0.05, rowsMax: 10, optimizer };
    const table = createTable(spec);
    const expected = new Float32Array(dimension);
    const drawn = new Float32Array(dimension);
    for (const [low, high] of bits.slice(0, 2_000).map((one, n) => [one, mix32(3, n)] as const)) {
      table.pull(BigUint64Array.of((BigInt(high) << 32n) | BigInt(low)), drawn);
      drawRow(spec, low, high, expected, 0);
      assert.deepEqual(drawn, expected);
    }
  }
});
