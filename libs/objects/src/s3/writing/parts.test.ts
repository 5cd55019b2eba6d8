import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { sha256 } from "@heddle/base";
import { temporaryFolder } from "@heddle/testkit";
import fc from "fast-check";
import type { Digest } from "../../files.ts";
import { openPartMemory, type Part, partsOfBytes, partsOfFile, partsOfPieces } from "./parts.ts";

async function* of(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  // As a reader that has one piece of memory for all.
  for (const piece of pieces) {
    const shared = Uint8Array.from(piece);
    yield shared;
    shared.fill(255);
  }
}

/** Takes parts as a sender does that has `atOnce` of them under way, and gives each back when the next comes. */
async function join(parts: AsyncIterable<Part>, atOnce: number): Promise<Uint8Array[]> {
  const [copies, held]: [Uint8Array[], Part[]] = [[], []];
  for await (const part of parts) {
    copies.push(Uint8Array.from(part.bytes));
    held.push(part);
    if (held.length === atOnce) held.shift()?.release();
  }
  return copies;
}

test("pieces of any sizes make parts of one size, in their order, and their digest", async () => {
  const sizes = fc.array(fc.nat(25), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(sizes, fc.integer({ min: 1, max: 10 }), async (lengths, partBytes) => {
      let [next, digest]: [number, Digest | undefined] = [0, undefined];
      const pieces = lengths.map((length) => new Uint8Array(length).map(() => (next += 1) % 251));
      const whole = Buffer.concat(pieces);
      const memory = openPartMemory(partBytes, 3);
      const parts = await join(
        partsOfPieces(of(pieces), memory, (found) => (digest = found)),
        2,
      );
      assert.deepEqual(Buffer.concat(parts), whole);
      assert.deepEqual(digest, { sha256: sha256(whole), bytes: whole.length });
      for (const part of parts.slice(0, -1)) assert.equal(part.length, partBytes);
      assert.equal(parts.length, Math.max(1, Math.ceil(whole.length / partBytes)));
    }),
  );
});

test("no more memory than stated is used: who wants more waits until some comes back", async () => {
  const memory = openPartMemory(10, 2);
  const [one, two] = [await memory.take(), await memory.take()];
  let third: Uint8Array | undefined;
  const waiting = memory.take().then((taken) => (third = taken));
  await new Promise(setImmediate);
  assert.equal(third, undefined);
  memory.giveBack(two);
  assert.equal(await waiting, two);
  memory.giveBack(one);
  assert.equal(await memory.take(), one);
});

test("a file and bytes make the same parts", async () => {
  using folder = temporaryFolder("parts");
  const path = folder.file("f");
  for (const length of [0, 1, 10, 25]) {
    const bytes = new Uint8Array(length).map((_, n) => n);
    writeFileSync(path, bytes);
    const fromFile = await join(partsOfFile(path, openPartMemory(10, 3)), 2);
    assert.deepEqual(fromFile, await join(partsOfBytes(bytes, 10), 2));
    assert.equal(fromFile.length, Math.ceil(length / 10));
  }
});
