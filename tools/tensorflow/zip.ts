import { createReadStream, createWriteStream, mkdirSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createInflateRaw } from "node:zlib";

interface Entry {
  readonly name: string;
  readonly deflated: boolean;
  readonly bytes: number;
  readonly headerAt: number;
}

const endSignature = 0x06054b50;
const endBytes = 22;
const commentBytesMax = 0xffff;

/**
 * Takes files out of a zip archive of less than 4 GiB, streaming: some of a wheel's libraries are larger
 * than what should lie in memory.
 *
 * @param wanted whether to take the file of that name; a leading folder is kept.
 * @returns the names taken.
 * @throws {Error} when the file is no such archive.
 * @source PKWARE, "APPNOTE.TXT - .ZIP File Format Specification", 6.3, §4.3.
 */
export async function unzip(
  archive: string,
  folder: string,
  wanted: (name: string) => boolean,
): Promise<string[]> {
  await using file = await open(archive);
  const taken = (await entriesOf(file, archive)).filter(
    ({ name }) => wanted(name) && !name.endsWith("/"),
  );
  for (const entry of taken) {
    const target = join(folder, entry.name);
    mkdirSync(dirname(target), { recursive: true });
    const [header] = await readAt(file, entry.headerAt, 30);
    const start = entry.headerAt + 30 + header.getUint16(26, true) + header.getUint16(28, true);
    const packed = createReadStream(archive, { start, end: start + entry.bytes - 1 });
    const out = createWriteStream(target);
    await (entry.deflated ? pipeline(packed, createInflateRaw(), out) : pipeline(packed, out));
  }
  return taken.map(({ name }) => name);
}

/** The archive's directory lies at its end, before a comment of unknown length. */
async function entriesOf(file: FileHandle, archive: string): Promise<Entry[]> {
  const { size } = await file.stat();
  const tailAt = Math.max(0, size - endBytes - commentBytesMax);
  const [tail] = await readAt(file, tailAt, size - tailAt);
  let end = tail.byteLength - endBytes;
  while (end >= 0 && tail.getUint32(end, true) !== endSignature) end -= 1;
  if (end < 0) throw new Error(`${archive} is no zip archive`);
  const count = tail.getUint16(end + 10, true);
  const [directory, bytes] = await readAt(
    file,
    tail.getUint32(end + 16, true),
    tail.getUint32(end + 12, true),
  );
  const entries: Entry[] = [];
  for (let i = 0, at = 0; i < count; i += 1) {
    const [nameBytes, extraBytes, noteBytes] = [28, 30, 32].map((field) =>
      directory.getUint16(at + field, true),
    ) as [number, number, number];
    entries.push({
      name: bytes.toString("utf8", at + 46, at + 46 + nameBytes),
      deflated: directory.getUint16(at + 10, true) === 8,
      bytes: directory.getUint32(at + 20, true),
      headerAt: directory.getUint32(at + 42, true),
    });
    at += 46 + nameBytes + extraBytes + noteBytes;
  }
  return entries;
}

async function readAt(file: FileHandle, at: number, length: number): Promise<[DataView, Buffer]> {
  const bytes = Buffer.alloc(length);
  await file.read(bytes, 0, length, at);
  return [new DataView(bytes.buffer, bytes.byteOffset, length), bytes];
}
