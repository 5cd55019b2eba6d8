import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { runTests } from "./run-tests.ts";

/** Runs test files with these bodies; each has one test that passes. */
async function outcomeOf(bodies: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), "heddle-run-tests-"));
  // A runner within a test would take itself for one of its files.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  let runs = 0;
  const run = async (args: readonly string[]): Promise<number> => {
    runs += 1;
    const child = spawn(process.execPath, args, { env, stdio: "ignore" });
    return ((await once(child, "close")) as [number])[0];
  };
  try {
    const files = Object.entries(bodies).map(([name, body]) => {
      const file = join(folder, `${name}.test.mjs`);
      const head =
        'import { test } from "node:test"; import { existsSync, writeFileSync } from "node:fs";';
      writeFileSync(
        file,
        `${head} const mark = ${JSON.stringify(`${file}.mark`)}; test("fine", () => {}); ${body}`,
      );
      return file;
    });
    const { passed, lines } = await runTests(run, [], files);
    return { passed, runs, said: lines.join("\n") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const crash = 'process.on("exit", () => process.kill(process.pid, "SIGSEGV"));';

test("tests that pass need no word", async () => {
  assert.deepEqual(await outcomeOf({ good: "" }), { passed: true, runs: 1, said: "" });
});

test("a test that fails is named with its error, and not run again", async () => {
  const bad = 'test("bad", async (t) => t.test("inner", () => { throw new Error("wrong sum"); }));';
  const { passed, runs, said } = await outcomeOf({ bad, crash });
  assert.equal(passed, false);
  assert.equal(runs, 1);
  assert.match(said, /bad\.test\.mjs: "inner" failed: wrong sum/);
  assert.doesNotMatch(said, /subtest/);
  assert.match(
    said,
    /crash\.test\.mjs: the file was ended by SIGSEGV \(none of its tests failed\)/,
  );
});

test("a file that crashes at its end is said, run once more, and passes if it then does", async () => {
  const once = `if (!existsSync(mark)) { writeFileSync(mark, ""); ${crash} }`;
  const { passed, runs, said } = await outcomeOf({ once, good: "" });
  assert.equal(passed, true);
  assert.equal(runs, 2);
  assert.match(said, /once\.test\.mjs: the file was ended by SIGSEGV .*\nrun again, and passed/);
  const always = await outcomeOf({ crash });
  assert.equal(always.passed, false);
  assert.match(always.said, /run again, and failed again\n.*SIGSEGV/);
});

test("a process that dies within a test fails, whatever passed before, and is not run again", async () => {
  const pause = 'test("pause", () => new Promise((resolve) => setTimeout(resolve, 500)));';
  for (const death of ["process.exit(7)", 'process.kill(process.pid, "SIGSEGV")']) {
    const within = `if (!existsSync(mark)) { writeFileSync(mark, ""); ${death}; }`;
    const { passed, runs, said } = await outcomeOf({
      within: `${pause} test("dies", async () => { ${within} });`,
    });
    assert.deepEqual([passed, runs], [false, 1]);
    assert.match(
      said,
      /within\.test\.mjs: the file (ended with exit code 7|was ended by SIGSEGV)$/,
    );
  }
});

test("what nobody awaits after the tests is said with its message, and so is what a file printed last", async () => {
  const late = 'setTimeout(() => Promise.reject(new Error("nobody awaits me")), 50);';
  const code = 'process.on("exit", () => { console.error("out of rows"); process.exitCode = 7; });';
  const { passed, said } = await outcomeOf({ late, code });
  assert.equal(passed, false);
  assert.match(said, /late\.test\.mjs: the file ended with exit code 1; .*[^]*nobody awaits me/);
  assert.match(said, /code\.test\.mjs: the file ended with exit code 7; .*[^]*out of rows/);
});

test("a file that does not load fails, and is not run again", async () => {
  const { passed, runs, said } = await outcomeOf({ broken: "throw new Error('at load');" });
  assert.deepEqual([passed, runs], [false, 1]);
  assert.match(said, /broken\.test\.mjs: the file ended with exit code \d; .*[^]*at load/);
});
