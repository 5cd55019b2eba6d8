import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { checkStateFormat } from "./state-format.ts";

function stateOf(t: TestContext, format?: string): string {
  const state = mkdtempSync(join(tmpdir(), "heddle-format-"));
  t.after(() => rmSync(state, { recursive: true }));
  if (format !== undefined) writeFileSync(join(state, "format"), format);
  return state;
}

test("a state folder of a newer or an older Heddle is refused, and both are named", (t) => {
  for (const [format, message] of [
    ["2\n", /of a newer Heddle: it has format 2, this one reads 1; use that Heddle, or .*--state/],
    ["0\n", /of an older Heddle: it has format 0/],
  ] as const) {
    const state = stateOf(t, format);
    assert.throws(() => checkStateFormat(state), { reason: "STATE_FORMAT_DIFFERS", message });
    assert.equal(readFileSync(join(state, "format"), "utf8"), format);
  }
});

test("a folder that notes no format, or half of one, gets it", (t) => {
  for (const format of [undefined, ""]) {
    const state = stateOf(t, format);
    checkStateFormat(state);
    checkStateFormat(state);
    assert.equal(readFileSync(join(state, "format"), "utf8"), "1\n");
  }
});
