import assert from "node:assert/strict";
import { test } from "node:test";
import { isHeddleError } from "@heddle/base";
import { int8RowBytes } from "@heddle/kernels";
import { RowFormat } from "@heddle/proto/parameter-server";
import fc from "fast-check";
import { decodeRows, encodeRows } from "./row-format.ts";

const format = fc.constantFrom(RowFormat.UNSPECIFIED, RowFormat.BFLOAT16, RowFormat.INT8);

test("any bytes in any format are whole values, or refused by name", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 70 }),
      fc.nat(9),
      fc.oneof(
        format,
        fc.integer({ min: -3, max: 9 }).map((number) => number as never),
      ),
      (bytes, count, as) => {
        try {
          const rows = decodeRows(bytes, count, as, undefined);
          if (as === RowFormat.UNSPECIFIED) assert.equal(rows.length * 4, bytes.length);
          else if (as === RowFormat.BFLOAT16) assert.equal(rows.length * 2, bytes.length);
          else if (count > 0) assert.equal(rows.length % count, 0);
          else assert.equal(bytes.length, 0);
        } catch (error) {
          const known = [RowFormat.UNSPECIFIED, RowFormat.BFLOAT16, RowFormat.INT8].includes(as);
          assert.ok(isHeddleError(error, known ? "WRONG_SIZE" : "UNKNOWN_ROW_FORMAT"));
        }
      },
    ),
  );
});

test("what is encoded is decoded to rows of the same shape, in memory of the caller's, too", () => {
  const rooms = fc.constantFrom(undefined, (bytes: number) => new Uint8Array(bytes));
  fc.assert(
    fc.property(format, fc.nat(20), fc.integer({ min: 2, max: 9 }), rooms, (as, n, d, room) => {
      const rows = Float32Array.from({ length: n * d }, (_, i) => i - 7);
      const bytes = encodeRows(rows.slice(), n, as);
      if (as === RowFormat.INT8) assert.equal(bytes.length, n * int8RowBytes(d));
      const back = decodeRows(bytes.slice(), n, as, room);
      assert.equal(back.length, rows.length);
      back.forEach((value, i) => assert.ok(Math.abs(value - (rows[i] as number)) < 1));
    }),
  );
});
