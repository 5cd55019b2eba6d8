import assert from "node:assert/strict";
import { test } from "node:test";
import { rowsLine } from "./rows.ts";

test("the line says what became of rows, and there is none where every id has a row for ever", () => {
  assert.equal(
    rowsLine({ rows: { refused: 12_000n, expired: 7n, counted: 450n } }),
    "embedding rows: 12,000 gradients dropped, whose ids had no row yet, 450 ids counted, 7 rows expired",
  );
  assert.equal(rowsLine({}), undefined);
  assert.equal(rowsLine(undefined), undefined);
});
