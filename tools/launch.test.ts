import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";

const onLinux = process.platform === "linux";

test(
  "a machine without a library of the pinned Node is told which, and what to install",
  {
    skip: !onLinux && "the loader of Linux says what is missing",
  },
  () => {
    const clone = mkdtempSync(join(tmpdir(), "heddle-launch-"));
    try {
      const file = (path: string, content: string | Buffer, mode = 0o644): void => {
        mkdirSync(dirname(join(clone, path)), { recursive: true });
        writeFileSync(join(clone, path), content, { mode });
      };
      mkdirSync(join(clone, "tools"));
      for (const tool of ["launch.mjs", "foreign-binaries.mjs"]) {
        copyFileSync(join(import.meta.dirname, tool), join(clone, "tools", tool));
      }
      file("package-lock.json", "{}");
      const lock = createHash("sha256").update("{}").digest("hex");
      file("node_modules/.heddle-installed", `${lock} run`);
      // A program of this system that now asks for a C library that no system has.
      const program = readFileSync("/bin/true", "latin1").replaceAll("libc.so.6", "libq.so.6");
      const node = `node_modules/node-linux-${process.arch}/bin/node`;
      file(node, Buffer.from(program, "latin1"), 0o755);
      const { status, stderr } = spawnSync(process.execPath, [join(clone, "tools/launch.mjs")], {
        encoding: "utf8",
      });
      assert.equal(status, 1);
      assert.match(stderr, /own Node needs the library libq\.so\.6 of/);
      assert.match(stderr, /apt-get install libatomic1/);
    } finally {
      rmSync(clone, { recursive: true });
    }
  },
);
