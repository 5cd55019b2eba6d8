import { sha256 } from "@heddle/base";
import { bytesOf } from "@heddle/tensor";
import { turnsDuring } from "@heddle/testkit";
import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryDigest } from "./digest.ts";

test("a digest is that of all bytes in canonical order, whatever the slices in which it is computed", async () => {
  for (const length of [0, 1, (64 << 10) - 1, 64 << 10, (64 << 10) + 1, 200_000]) {
    const values = Float32Array.from({ length }, (_, i) => i / 3);
    const ids = BigUint64Array.from({ length }, (_, i) => BigInt(i) << 40n);
    const dense = { b: values.slice(0, 2), a: values };
    const expected = sha256(
      ...[`a:${length}\n`, bytesOf(values), `b:${dense.b.length}\n`, bytesOf(dense.b)],
      ...[`ids:${length}\n`, bytesOf(ids), `rows:${length}\n`, bytesOf(values)],
    );
    assert.equal(await memoryDigest({ dense, ids, values }), expected);
  }
});

test("others on the thread have their turn while a digest is computed", async () => {
  const values = new Float32Array(4 << 20);
  const turns = await turnsDuring(() =>
    memoryDigest({ dense: {}, ids: new BigUint64Array(), values }),
  );
  assert.ok(turns >= 60, `${turns} turns in 16 MiB`);
});
