import { isHeddleError } from "@heddle/base";
import { turnsDuring } from "@heddle/testkit";
import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { decodeTensors, encodeTensors } from "./file.ts";

/** A file whose header says `text`, with a checksum that holds. */
function fileWithHeader(text: string): Uint8Array {
  const file = encodeTensors({ a: { dtype: "uint8", shape: [1], data: Uint8Array.of(1) } });
  const header = new TextEncoder().encode(text);
  const view = new DataView(file.buffer);
  view.setUint32(12, header.length, true);
  file.set(header, 16);
  view.setUint32(8, crc32(file.subarray(12)), true);
  return file;
}

test("a header that lies about the file is refused although its checksum holds", async () => {
  const headers = [
    "not json",
    "{}",
    `[{"name":"a"}]`,
    `[{"name":"a","dtype":"toString","shape":[1],"offset":0}]`,
    `[{"name":"a","dtype":"uint8","shape":[-1],"offset":0}]`,
    `[{"name":"a","dtype":"uint64","shape":[9],"offset":0}]`,
  ];
  for (const header of headers) {
    await assert.rejects(
      decodeTensors(fileWithHeader(header)),
      (error) => isHeddleError(error, "TENSOR_FILE_CORRUPT"),
      header,
    );
  }
});

test("others on the thread have their turn while a file is read", async () => {
  const data = new Uint8Array(32 << 20);
  const file = encodeTensors({ a: { dtype: "uint8", shape: [data.length], data } });
  const turns = await turnsDuring(() => decodeTensors(file));
  assert.ok(turns >= 30, `${turns} turns in 32 MiB`);
});
