import assert from "node:assert/strict";
import { test } from "node:test";
import type { Aggregates, Known } from "@heddle/store";
import { findByPrefix } from "./store.ts";

function collection(...ids: string[]): Aggregates<string> {
  const items: Known<string>[] = ids.map((id) => ({ id, state: id, revision: 1, fence: 0 }));
  const list: Aggregates<string>["list"] = ({ prefix = "", limit = 100 } = {}) =>
    Promise.resolve({ items: items.filter(({ id }) => id.startsWith(prefix)).slice(0, limit) });
  return { list } as Aggregates<string>;
}

test("a prefix names one thing, none, or too many", async () => {
  const all = collection("abcdef01", "abcdef02", "bbcdef01");
  assert.equal((await findByPrefix(all, "version", "BBCDEF")).id, "bbcdef01");
  for (const noun of ["version", "run", "configuration"] as const) {
    const reason = noun.toUpperCase();
    const found = (name: string) => findByPrefix(all, noun, name);
    await assert.rejects(found("abcdef"), {
      reason: `AMBIGUOUS_${reason}`,
      code: "INVALID_ARGUMENT",
    });
    await assert.rejects(found("cbcdef"), { reason: `UNKNOWN_${reason}`, code: "NOT_FOUND" });
    await assert.rejects(found("bbcde"), { reason: `UNKNOWN_${reason}` });
    await assert.rejects(found(""), { reason: `UNKNOWN_${reason}` });
  }
});
