import assert from "node:assert/strict";
import { test } from "node:test";
import { transferLine } from "./transfer.ts";

const from = "0123456789abcdef".repeat(4);

test("a training says what it took over from which version, and what it left as it was", () => {
  const transfer = { from, tables: ["embeddings"], dense: ["deep0"], frozen: ["deep0"] };
  assert.equal(
    transferLine({ transfer }),
    "started from version 0123456789ab with its embeddings, deep0; did not train deep0",
  );
  const warm = { transfer: { ...transfer, tables: [], dense: [] } };
  assert.equal(transferLine(warm), "did not train deep0");
});

test("one that did neither says nothing", () => {
  assert.equal(transferLine({}), undefined);
  assert.equal(transferLine(undefined), undefined);
  const warm = { from, tables: [], dense: [], frozen: [] };
  assert.equal(transferLine({ transfer: warm }), undefined);
});
