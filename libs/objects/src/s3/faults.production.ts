import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ListMultipartUploadsCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { sha256, systemClock } from "@heddle/base";
import { newBucket, s3ForTests } from "@heddle/servers";
import { temporaryFolder } from "@heddle/testkit";
import type { Objects } from "../port.ts";
import { startProxy } from "./fixtures/proxy.ts";
import { parseS3Location } from "./location.ts";
import { openS3Objects, type S3ObjectsOptions } from "./s3-objects.ts";

const server = await s3ForTests();
const { skip } = server;
const copies = temporaryFolder("objects-copies");
after(() => copies[Symbol.dispose]());
const bucket = await newBucket(server);
const { endpoint } = parseS3Location(bucket.url("x"));
const partBytes = 5 << 20;
let places = 0;

/** Objects of a place of their own. @param through a proxy's address. */
function openAt(through?: string, options: Partial<S3ObjectsOptions> = {}, place = newPlace()) {
  const given = { cache: copies.path, ...(through === undefined ? {} : { endpoint: through }) };
  const location = parseS3Location(bucket.url(place, given));
  return openS3Objects({ location, clock: systemClock, partBytes, ...options });
}

const newPlace = (): string => `place-${(places += 1)}`;

/** All keys and unfinished uploads of a place. */
async function remainsOf(place: string) {
  const under = { Bucket: bucket.bucket, Prefix: `${bucket.prefix}/${place}/` };
  const { Contents = [] } = await bucket.client.send(new ListObjectsV2Command(under));
  const { Uploads = [] } = await bucket.client.send(new ListMultipartUploadsCommand(under));
  const keys = Contents.map(({ Key = "" }) => Key.slice(under.Prefix.length));
  return { keys: keys.filter((key) => key !== "!heddle"), uploads: Uploads.length };
}

/** No two pieces of it are alike. */
const bytesOf = (mebibytes: number): Uint8Array =>
  new Uint8Array(mebibytes << 20).map((_, n) => n * 5 + (n >> 18));

async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 700_000) yield bytes.subarray(at, at + 700_000);
}

async function assertHolds(objects: Objects, name: string, bytes: Uint8Array): Promise<void> {
  assert.equal(Buffer.compare(await objects.get(name, sha256(bytes)), bytes), 0);
}

test(
  "connections that are cut in the middle of a part cost nothing but time",
  { skip },
  async () => {
    await using proxy = await startProxy(endpoint ?? "");
    const objects = openAt(proxy.url);
    await objects.put("first", new Uint8Array(1));
    const large = bytesOf(14);
    // One of the connections may carry requests without a body only.
    proxy.fail({ cutAfterSent: 3 << 20, connections: 3 });
    await objects.putStream("stream", piecesOf(large));
    const cuts = proxy.cuts();
    assert.ok(cuts >= 2, `${cuts} cuts`);
    proxy.fail({ cutAfterSent: 1 << 20, connections: 3 });
    await objects.put("bytes", large);
    assert.ok(proxy.cuts() >= cuts + 2, `${proxy.cuts() - cuts} cuts`);
    for (const name of ["stream", "bytes"]) await assertHolds(objects, name, large);
  },
);

test("a read whose connection is cut goes on where it was", { skip }, async () => {
  await using proxy = await startProxy(endpoint ?? "");
  const objects = openAt(proxy.url);
  const large = bytesOf(14);
  await objects.put("large", large);
  proxy.fail({ cutAfterReceived: 3 << 20, connections: 4 });
  await assertHolds(objects, "large", large);
  assert.equal(proxy.cuts(), 4);
});

test(
  "an answer that is lost to a put that was applied is no other writer's object",
  { skip },
  async () => {
    await using proxy = await startProxy(endpoint ?? "");
    const place = newPlace();
    const objects = openAt(proxy.url, {}, place);
    await objects.put("first", new Uint8Array(1));
    // Every answer of the SDK's four tries is lost.
    proxy.fail({ loseAnswers: true, connections: 4 });
    await objects.put("small", Buffer.from("bytes"));
    assert.equal(proxy.cuts(), 4);
    await assertHolds(objects, "small", Buffer.from("bytes"));
  },
);

test(
  "a server that is away is unavailable by name, and found again without a restart",
  { skip },
  async () => {
    await using proxy = await startProxy(endpoint ?? "");
    const place = newPlace();
    const objects = openAt(proxy.url, {}, place);
    const bytes = Buffer.from("bytes");
    proxy.fail({ cutAfterSent: 0 });
    for (const attempt of [
      () => objects.put("a", bytes),
      () => objects.get("a"),
      () => objects.list(""),
    ]) {
      await assert.rejects(attempt(), (error: Error & { reason?: string; code?: string }) => {
        assert.deepEqual([error.code, error.reason], ["UNAVAILABLE", "OBJECTS_UNAVAILABLE"]);
        assert.match(
          error.message,
          new RegExp(`bucket ${bucket.bucket}, .* on ${proxy.url} .*then retry`),
        );
        return true;
      });
    }
    await assert.rejects(objects.putStream("b", piecesOf(bytesOf(11))), { code: "UNAVAILABLE" });
    proxy.fail({});
    await objects.put("a", bytes);
    await assertHolds(objects, "a", bytes);
    assert.deepEqual((await remainsOf(place)).keys, ["a!"]);
  },
);

test(
  "a part that fails while the next one is waited for fails its put, and nothing else",
  { skip },
  async () => {
    await using proxy = await startProxy(endpoint ?? "");
    const place = newPlace();
    const objects = openAt(proxy.url, {}, place);
    await objects.put("first", new Uint8Array(1));
    async function* slow(): AsyncGenerator<Uint8Array> {
      // An upload is begun with a few bytes, and none of its parts arrives.
      proxy.fail({ cutAfterSent: 1 << 20 });
      yield bytesOf(6);
      // All four tries of the SDK, and what it does then.
      while (proxy.cuts() < 4) await new Promise((resolve) => setTimeout(resolve, 20));
      await new Promise((resolve) => setTimeout(resolve, 200));
      proxy.fail({});
      yield bytesOf(1);
    }
    await assert.rejects(objects.putStream("a", slow()), {
      code: "UNAVAILABLE",
      reason: "OBJECTS_UNAVAILABLE",
    });
    assert.deepEqual(await objects.list(""), ["first"]);
  },
);

test(
  "an upload that fails, or loses against another, leaves nothing at the server",
  { skip },
  async () => {
    const place = newPlace();
    const objects = openAt(undefined, {}, place);
    const [large, other] = [bytesOf(11), bytesOf(12)];
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield* piecesOf(large);
      throw new Error("gone");
    }
    await assert.rejects(objects.putStream("a", broken()), /gone/);
    assert.deepEqual(await remainsOf(place), { keys: [], uploads: 0 });
    const puts = [large, other, large].map((bytes) => objects.putStream("a", piecesOf(bytes)));
    const outcomes = await Promise.allSettled(puts);
    assert.ok(outcomes.some(({ status }) => status === "fulfilled"));
    for (const outcome of outcomes) {
      if (outcome.status === "rejected")
        assert.equal((outcome.reason as { reason?: string }).reason, "OBJECT_DIFFERS");
    }
    const { keys, uploads } = await remainsOf(place);
    assert.equal(uploads, 0);
    assert.equal(keys.length, 2, keys.join());
    await objects.delete("a");
    assert.deepEqual(await remainsOf(place), { keys: [], uploads: 0 });
  },
);

test(
  "an object of more parts than S3 takes is refused, and nothing of it stays",
  { skip },
  async () => {
    const place = newPlace();
    const objects = openAt(undefined, { partsMax: 2 }, place);
    await assert.rejects(objects.putStream("a", piecesOf(bytesOf(11))), {
      code: "RESOURCE_EXHAUSTED",
      reason: "OBJECT_TOO_LARGE",
    });
    assert.deepEqual(await remainsOf(place), { keys: [], uploads: 0 });
    // Where the size is known, the parts are made larger.
    await objects.put("a", bytesOf(11));
  },
);

const program = fileURLToPath(new URL("./fixtures/put-s3.ts", import.meta.url));
for (const death of ["in the bytes", "after-parts", "after-digest", "after-complete"]) {
  test(
    `a writer killed ${death} leaves a whole object or none, and the next one sweeps`,
    { skip },
    async () => {
      const place = newPlace();
      const args = [program, bucket.url(place), "20", ...(death === "in the bytes" ? ["die"] : [])];
      const env = { ...process.env, HEDDLE_FAILPOINT: `objects.upload.${death}` };
      const { signal, stderr } = spawnSync(process.execPath, args, { env, encoding: "utf8" });
      assert.equal(signal, "SIGKILL", stderr);
      const done = death === "after-complete";
      const objects = openAt(undefined, { uploadMs: -60_000 }, place);
      assert.deepEqual(await objects.list(""), done ? ["run/weights.bin"] : []);
      assert.equal((await objects.head("run/weights.bin"))?.bytes, done ? 20 << 20 : undefined);
      if (!done) assert.equal((await remainsOf(place)).uploads, 1);
      if (done) assert.equal((await objects.get("run/weights.bin")).byteLength, 20 << 20);
      await objects.put("next", new Uint8Array(1));
      const { keys, uploads } = await remainsOf(place);
      assert.equal(uploads, 0);
      assert.equal(keys.length, done ? 3 : 1, keys.join());
    },
  );
}
