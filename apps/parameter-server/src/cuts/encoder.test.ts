import assert from "node:assert/strict";
import { test } from "node:test";
import type { Worker } from "node:worker_threads";
import { readState } from "@heddle/artifact";
import { type EncodedFile, openEncoder } from "./encoder.ts";

const table = { name: "rows", dimension: 2 };
const part = { shard: 0, shards: 1 };
const rowsOf = (...ids: number[]) => ({
  ids: BigUint64Array.from(ids, BigInt),
  values: new Float32Array(2 * ids.length).fill(3),
  slots: new Float32Array(2 * ids.length).fill(4),
  dimension: 2,
});

async function idsIn({ pieces }: EncodedFile): Promise<bigint[] | undefined> {
  const { tables } = await readState([{ name: "file", chunks: pieces }]);
  const ids = tables["rows"]?.ids;
  return ids && [...ids];
}

test("a thread that fails while nobody asks it anything is replaced for the next file", async () => {
  await using encoder = openEncoder();
  encoder.begin([table]);
  encoder.add("no such table", rowsOf(1));
  await assert.rejects(encoder.encode(part, [table], {}));
  const started = new Promise<Worker>((resolve) => process.once("worker", resolve));
  encoder.begin([table]);
  encoder.add("no such table", rowsOf(1));
  const failing = await started;
  await new Promise((resolve) => failing.once("exit", resolve));
  encoder.begin([table]);
  encoder.add("rows", rowsOf(9, 4));
  assert.deepEqual(await idsIn(await encoder.encode(part, [table], {})), [4n, 9n]);
});

test("once it is closed, what is under way ends and no other thread is started", async () => {
  const encoder = openEncoder();
  encoder.begin([table]);
  encoder.add("rows", rowsOf(1));
  const underWay = assert.rejects(encoder.encode(part, [table], {}), /was ended/);
  await encoder[Symbol.asyncDispose]();
  await underWay;
  assert.throws(() => encoder.begin([table]), /closed/);
  await assert.rejects(encoder.encode(part, [table], {}), /closed/);
});

test("a file that is half taken when it is closed ends with an error, and nobody waits for the rest", async () => {
  const encoder = openEncoder();
  encoder.begin([table]);
  encoder.add("rows", rowsOf(1));
  const { pieces } = await encoder.encode(part, [table], {});
  const taken = pieces[Symbol.asyncIterator]();
  assert.equal((await taken.next()).done, false);
  await encoder[Symbol.asyncDispose]();
  await assert.rejects(taken.next(), /closed/);
});
