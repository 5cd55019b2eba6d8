import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { reasonsOf } from "./reasons.ts";

const of = (...texts: string[]) =>
  reasonsOf(texts.map((text, i) => [`${i}.ts`, text] as const)).map(
    ({ reason, code, message, file }) => [reason, code, message, file].join(" | "),
  );

test("an error that is made in place is listed with its message's gaps", () => {
  assert.deepEqual(
    of('throw new HeddleError("NOT_FOUND", "NO_RUN", `no run ${run.id}; see ${list()}`);'),
    ["NO_RUN | NOT_FOUND | no run {id}; see {…} | 0.ts"],
  );
});

test("a reason given to a function is listed where it is given, with what was given beside it", () => {
  const refuse = `export function refuse(reason: string, why: string): never {
    throw new HeddleError("INVALID_ARGUMENT", reason, \`the file is refused: \${why}\`);
  }`;
  assert.deepEqual(of(refuse, 'refuse("EMPTY", "no rows"); other("NOT_THIS", "x");'), [
    "EMPTY | INVALID_ARGUMENT | the file is refused: no rows | 1.ts",
  ]);
  const own = refuse.replace("export ", "");
  assert.deepEqual(of(own, 'refuse("EMPTY", "no rows");'), [], "it is another file's function");
});

test("what ended an attempt is listed without a code", () => {
  assert.deepEqual(of('const a = { reason: "JOB_LOST", error: `job ${role} vanished` };'), [
    "JOB_LOST |  | job {role} vanished | 0.ts",
  ]);
});

test("the page of error reasons is current", () => {
  const script = join(import.meta.dirname, "reasons.ts");
  const { status, stderr } = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
});
