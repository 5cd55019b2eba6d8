import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { temporaryFolder } from "@heddle/testkit";
import { notesVariable, serverForTests, type ServerNote } from "./for-tests.ts";
import { runTool } from "./tool.ts";
import { Unavailable } from "./unavailable.ts";

const choice = {
  name: "Toy",
  product: "toy 1.0",
  variable: "HEDDLE_TEST_TOY_URL",
  start: () => Promise.reject(new Unavailable("toys are not sold here")),
};

test("a server that cannot be had is skipped with its reason, and noted", async (t) => {
  using folder = temporaryFolder("notes");
  const before = process.env[notesVariable];
  process.env[notesVariable] = folder.file("notes");
  t.after(() => (process.env[notesVariable] = before ?? ""));
  const { skip } = await serverForTests(choice);
  assert.equal(skip, "no Toy (toy 1.0): toys are not sold here; or set HEDDLE_TEST_TOY_URL");
  process.env["HEDDLE_TEST_TOY_URL"] = "toy://user:secret@elsewhere";
  const given = await serverForTests(choice);
  assert.deepEqual(given, { url: "toy://user:secret@elsewhere", skip: false, running: undefined });
  delete process.env["HEDDLE_TEST_TOY_URL"];
  const text = readFileSync(folder.file("notes"), "utf8");
  const notes = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as ServerNote);
  assert.deepEqual(
    notes.map((each) => each.skipped),
    [skip, undefined],
  );
  assert.equal(notes[1]?.used, "the one that HEDDLE_TEST_TOY_URL names");
  assert.doesNotMatch(text, /secret/);
});

test("a server that is broken is no reason to skip", async () => {
  const start = () => Promise.reject(new Error("it crashed"));
  await assert.rejects(serverForTests({ ...choice, start }), /it crashed/);
});

test("a tool that is missing or offline is unavailable, one that fails is an error", async () => {
  const remedy = "toys 1.0";
  await assert.rejects(runTool("heddle-has-no-such-program", [], { remedy }), {
    name: "Unavailable",
    message: /is not on the PATH: install toys 1\.0/,
  });
  const offline = ["-c", "echo 'dial tcp: lookup proxy: no such host'; exit 1"];
  await assert.rejects(runTool("sh", offline, { remedy }), Unavailable);
  await assert.rejects(runTool("sh", ["-c", "echo syntax; exit 2"], { remedy }), {
    name: "Error",
    message: /ended with 2:\nsyntax/,
  });
  assert.equal(await runTool("sh", ["-c", "echo $A"], { remedy, env: { A: "b" } }), "b\n");
});
