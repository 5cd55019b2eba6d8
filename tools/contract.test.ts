import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { breaksOf, imageOf } from "./contract.ts";

const proto = join(import.meta.dirname, "../proto");
const service = "heddle/registry/v1/registry_service.proto";

/** What is said of our contracts after one text in the registry's was replaced. */
function changed(from: string | RegExp, to: string) {
  const folder = mkdtempSync(join(tmpdir(), "heddle-contract-"));
  try {
    cpSync(proto, folder, { recursive: true });
    const text = readFileSync(join(folder, service), "utf8");
    assert.notEqual(text.replace(from, to), text, String(from));
    writeFileSync(join(folder, service), text.replace(from, to));
    const recorded = imageOf(folder).equals(readFileSync(join(folder, "baseline.binpb")));
    return { breaks: breaksOf(folder), recorded };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const breaks: readonly (readonly [what: string, from: RegExp, to: string, named: RegExp])[] = [
  [
    "a field that has gone",
    / *string definition_json = 2;\n/,
    "",
    /"2" with name "definition_json"/,
  ],
  ["a field of another number", /definition_json = 2;/, "definition_json = 9;", /definition_json/],
  ["a field of another type", /string definition_json = 2;/, "bytes definition_json = 2;", /type/],
  ["an RPC that has gone", / *rpc ListRuns\(.*\n/, "", /"ListRuns"/],
];
for (const [what, from, to, named] of breaks) {
  test(`${what} is a break, and the report names it`, () => {
    const { breaks } = changed(from, to);
    assert.match(breaks, /registry_service\.proto/);
    assert.match(breaks, named);
  });
}

test("a new field breaks nothing, but must be recorded; a comment need not", () => {
  const added = changed(
    "string definition_json = 2;",
    "string definition_json = 2;\n  // New.\n  string note = 3;",
  );
  assert.deepEqual(added, { breaks: "", recorded: false });
  const comment = changed("// As the SDK writes it, JSON.", "// JSON as the SDK writes it.");
  assert.deepEqual(comment, { breaks: "", recorded: true });
});
