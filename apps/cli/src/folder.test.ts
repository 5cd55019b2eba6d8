import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { HeddleError } from "@heddle/base";
import { makeStateFolder } from "./folder.ts";
import { systemError } from "./system-error.ts";

const root = mkdtempSync(join(tmpdir(), "heddle-folder-"));
after(() => rmSync(root, { recursive: true }));
const file = join(root, "file");
writeFileSync(file, "");

test("a state folder is made once", () => {
  const state = join(root, "deep", "state");
  assert.deepEqual([makeStateFolder(state), makeStateFolder(state)], [true, false]);
});

test("a state folder where a file is in the way is refused, and the file is named", () => {
  for (const state of [file, join(file, "below")]) {
    assert.throws(() => makeStateFolder(state), {
      reason: "FOLDER_UNUSABLE",
      message: new RegExp(`state folder ${state} cannot be used: ${file} is a file; mend`),
    });
  }
});

/** What the system says of a call that it refuses. */
function refused(call: () => void): HeddleError {
  try {
    call();
  } catch (error) {
    const known = systemError(error, "/the/state");
    if (known !== undefined) return known;
  }
  assert.fail("nothing was refused");
}

test("a refusal of the operating system names the path and the remedy", () => {
  const none = refused(() => readFileSync(join(root, "none")));
  assert.deepEqual([none.code, none.reason], ["NOT_FOUND", "NO_SUCH_FILE"]);
  assert.match(none.message, /\/none: there is no such file \(ENOENT\): check the path/);
  const folder = refused(() => readFileSync(root));
  assert.equal(folder.reason, "NO_FILE");
  const inTheWay = refused(() => mkdirSync(join(file, "below")));
  assert.equal(inTheWay.reason, "NO_FOLDER");
});

test("a full disk is no bug", { skip: existsSync("/dev/full") ? false : "no /dev/full" }, () => {
  const { code, reason, message } = refused(() => writeFileSync("/dev/full", "x"));
  assert.deepEqual([code, reason], ["RESOURCE_EXHAUSTED", "DISK_FULL"]);
  assert.match(message, /\/the\/state: the disk is full \(ENOSPC\): make room/);
});

test("an error of the program stays one", () => {
  assert.equal(systemError(new TypeError("a bug")), undefined);
});
