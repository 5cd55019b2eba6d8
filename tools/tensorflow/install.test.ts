import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { crc32, deflateRawSync } from "node:zlib";
import { installTensorflow } from "./install.ts";
import { unzip } from "./zip.ts";

function folderFor(t: { after(work: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), "setup-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** A zip archive of files, the second and further ones deflated; it ends in a comment. */
function zipOf(files: Readonly<Record<string, string>>): Buffer {
  const [locals, directory]: [Buffer[], Buffer[]] = [[], []];
  let at = 0;
  Object.entries(files).forEach(([name, text], i) => {
    const packed = i === 0 ? Buffer.from(text) : deflateRawSync(text);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(i === 0 ? 0 : 8, 4);
    common.writeUInt32LE(crc32(text), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(Buffer.byteLength(text), 18);
    common.writeUInt16LE(name.length, 22);
    const extra = Buffer.alloc(7, 1);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, Buffer.from(name), extra]);
    local.writeUInt16LE(extra.length, 28);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(at, 10);
    directory.push(Buffer.from("PK\x01\x02\x14\x00"), common, tail, Buffer.from(name));
    locals.push(local, packed);
    at += local.length + packed.length;
  });
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(Object.keys(files).length, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(at, 12);
  end.writeUInt16LE(2, 16);
  return Buffer.concat([...locals, central, Buffer.from("PK\x05\x06"), end, Buffer.from("hi")]);
}

test("wanted files come out of an archive as they went in, stored and deflated", async (t) => {
  const folder = folderFor(t);
  const files = { "a/stored": "as it is", "a/b/deflated": "again ".repeat(9_000), other: "left" };
  writeFileSync(join(folder, "x.zip"), zipOf(files));
  const taken = await unzip(join(folder, "x.zip"), folder, (name) => name.startsWith("a/"));
  assert.deepEqual(taken, ["a/stored", "a/b/deflated"]);
  for (const name of ["a/stored", "a/b/deflated"] as const) {
    assert.equal(readFileSync(join(folder, name), "utf8"), files[name]);
  }
  assert.deepEqual(readdirSync(folder).sort(), ["a", "x.zip"]);
});

test("a file that is no archive is refused", async (t) => {
  const file = join(folderFor(t), "x.zip");
  writeFileSync(file, "no archive at all, whatever its name says");
  await assert.rejects(
    unzip(file, file, () => true),
    /is no zip archive/,
  );
});

test("a wheel with another digest is not used, and leaves nothing behind", async (t) => {
  const folder = folderFor(t);
  const wheel = join(folder, "tensorflow.whl");
  writeFileSync(wheel, "something else");
  const target = join(folder, "target");
  await assert.rejects(
    installTensorflow({ target, flavour: "cpu", wheel, say: () => undefined }),
    process.platform === "linux" && process.arch === "x64"
      ? /tensorflow\.whl has sha256 \w{64}, not \w{64}: it is not used/
      : /no tried recipe/,
  );
  assert.deepEqual(
    readdirSync(folder).flatMap((name) => (name === "target" ? readdirSync(target) : [])),
    [],
  );
});
