import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";

const main = join(import.meta.dirname, "main.ts");
const commands =
  "demo init host apply ingest train stream follow runs versions live lineage origin predict rollback trace report speed-audit batch-audit doctor";

function heddle(...args: string[]): { code: number | null; out: string; talk: string } {
  const child = spawnSync(process.execPath, [main, ...args], { encoding: "utf8" });
  return { code: child.status, out: child.stdout, talk: child.stderr };
}

test("help lists every command with one line", () => {
  const { code, out } = heddle("--help");
  assert.equal(code, 0);
  for (const command of commands.split(" "))
    assert.match(out, new RegExp(`^  ${command} +\\S`, "m"));
});

test("each command's help says what it does and fits 80 characters", () => {
  for (const command of commands.split(" ")) {
    const { code, out } = heddle(command, "--help");
    assert.equal(code, 0, command);
    const [, description = ""] = out.split("\n\n");
    assert.ok(description.length > 20, `${command} says nothing of itself`);
    for (const line of out.split("\n")) assert.ok(line.length <= 80, `${command}: ${line}`);
  }
});

test("an unknown command exits 2 and suggests the nearest", () => {
  const { code, talk } = heddle("lineag", "x");
  assert.equal(code, 2);
  assert.match(talk, /did you mean `lineage`/);
});

test("a missing argument exits 2 and names it", () => {
  const { code, talk } = heddle("versions");
  assert.equal(code, 2);
  assert.match(talk, /model/);
});

test("output that nobody reads any more is no error", async () => {
  const child = spawn(process.execPath, [main, "--help"], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  let talk = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (talk += text));
  const [code] = (await once(child, "close")) as [number];
  assert.deepEqual([code, talk], [0, ""]);
});

test("what a flag cannot be is wrong usage, and says how to write it", () => {
  const wrong: readonly [args: string, says: RegExp][] = [
    ["predict m {} --at yesterday", /"yesterday" is no moment: write it as 2026-11-23T18:00Z/],
    ["train p --branch main", /write it as source=branch/],
    ["train p --windw 3", /did you mean --window\?/],
  ];
  for (const [args, says] of wrong) {
    const { code, out, talk } = heddle(...args.split(" "));
    assert.deepEqual([code, out], [2, ""], args);
    assert.match(talk, says);
  }
});

test("an example that does not exist exits 1 with its reason, nothing on stdout", () => {
  const { code, out, talk } = heddle("demo", "bakery");
  assert.equal(code, 1);
  assert.equal(out, "");
  assert.match(talk, /no example "bakery".*\[UNKNOWN_EXAMPLE\]/);
});
