import { open } from "node:fs/promises";

const tailBytes = 4_096;
const linesMax = 10;

/** The last lines of a file, at most 10 and 4 KiB. */
export async function lastLines(path: string): Promise<string> {
  await using file = await open(path, "r");
  const { size } = await file.stat();
  const from = Math.max(0, size - tailBytes);
  const { buffer, bytesRead } = await file.read({
    buffer: Buffer.alloc(tailBytes),
    position: from,
  });
  const lines = buffer.toString("utf8", 0, bytesRead).trimEnd().split("\n");
  return lines.slice(-linesMax).join("\n");
}
