import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { straceOptions, unflushedAcknowledgements } from "./flush-trace.ts";

const acknowledge = fileURLToPath(new URL("./fixtures/acknowledge.ts", import.meta.url));
const hasStrace = spawnSync("strace", ["-V"]).status === 0;
const skip = hasStrace ? false : "strace is not installed";

for (const backend of ["store", "eventlog", "online", "objects"]) {
  test(
    `the ${backend} backend acknowledges nothing before its flush, by its system calls`,
    { skip },
    (t) => {
      const folder = realpathSync(mkdtempSync(join(tmpdir(), "heddle-flush-")));
      t.after(() => rmSync(folder, { recursive: true }));
      const trace = join(folder, "trace");
      const state = join(folder, "state");
      const command = [process.execPath, acknowledge, backend, state, "10"];
      const child = spawnSync("strace", [...straceOptions, "-o", trace, ...command], {
        // Flushes given to io_uring would not be seen.
        env: { ...process.env, UV_USE_IO_URING: "0" },
        encoding: "utf8",
      });
      assert.equal(child.status, 0, child.stderr);
      const judged = unflushedAcknowledgements(readFileSync(trace, "utf8"), state);
      assert.deepEqual(judged.violations, []);
      assert.equal(judged.acknowledgements, 20);
      assert.ok(judged.flushes >= 10, `${judged.flushes} flushes`);
    },
  );
}

const opened = (flags: string, fd: number): string =>
  `7 openat(AT_FDCWD</>, "/s/data", O_RDWR|${flags}) = ${fd}</s/data>`;
const judge = (...lines: string[]) => unflushedAcknowledgements(lines.join("\n"), "/s").violations;
const told = '7 write(1</dev/pts/0>, "acknowledged 0\\n", 15) = 15';

test("the judge sees an acknowledgement before the flush, beside it, and before its name is flushed", () => {
  const start = [opened("O_CLOEXEC", 3), '8 pwrite64(3</s/data>, "x", 1, 0) = 1'];
  assert.deepEqual(judge(...start, "8 fdatasync(3</s/data>) = 0", told), []);
  assert.match(judge(...start, told)[0] ?? "", /acknowledged before a flush of \/s\/data/);
  const flush = ["8 fdatasync(3</s/data> <unfinished ...>", "8 <... fdatasync resumed>) = 0"];
  assert.equal(judge(...start, flush[0] ?? "", told, flush[1] ?? "").length, 1);
  const during = '9 pwrite64(3</s/data>, "y", 1, 0) = 1';
  assert.equal(judge(...start, flush[0] ?? "", during, flush[1] ?? "", told).length, 1);
  assert.equal(judge(opened("O_CREAT", 3), told).length, 1);
  assert.deepEqual(judge(opened("O_CREAT", 3), "7 fsync(4</s>) = 0", told), []);
});

test("the judge sees a reference written before what it refers to, and a link before its bytes", () => {
  const start = [opened("O_CLOEXEC", 3), opened("O_DSYNC", 4)];
  const data = '8 pwrite64(3</s/data>, "x", 1, 0) = 1';
  const meta = '8 pwrite64(4</s/data>, "m", 1, 9) = 1';
  const flush = "8 fdatasync(3</s/data>) = 0";
  assert.deepEqual(judge(...start, data, flush, meta, told), []);
  assert.match(judge(...start, data, meta, flush, told)[0] ?? "", /referred to before its flush/);
  const link = '8 link("/s/data", "/s/name") = 0';
  assert.match(judge(...start, data, link)[0] ?? "", /linked before/);
  assert.match(judge(...start, data, flush, link, told)[0] ?? "", /a flush of \/s\/name/);
  const moved = '8 rename("/s/data", "/s/moved") = 0';
  assert.match(judge(...start, data, moved, "8 fsync(5</s>) = 0", told)[0] ?? "", /\/s\/moved/);
});
