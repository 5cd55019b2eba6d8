import assert from "node:assert/strict";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { systemClock } from "@heddle/base";
import { newBucket, s3ForTests, startS3, testCredentials } from "@heddle/servers";
import { temporaryFolder } from "@heddle/testkit";
import { s3Error } from "./errors.ts";
import { parseS3Location } from "./location.ts";
import { openS3Objects, type S3ObjectsOptions } from "./s3-objects.ts";

const server = await s3ForTests();
const { skip } = server;
/** These meddle with a server's own settings. */
const oursOnly = {
  skip: server.running === undefined ? skip || "needs a server of our own" : false,
};
const copies = temporaryFolder("objects-copies");
after(() => copies[Symbol.dispose]());
const bucket = await newBucket(server);
const bytes = Buffer.from("bytes");
let places = 0;

const openUrl = (url: string, options: Partial<S3ObjectsOptions> = {}) =>
  openS3Objects({ location: parseS3Location(url), clock: systemClock, ...options });
const openAt = (parameters: Readonly<Record<string, string>>, options = {}) =>
  openUrl(bucket.url(`place-${(places += 1)}`, { cache: copies.path, ...parameters }), options);

test(
  "a bucket that is missing is named with its server, whatever is asked of it",
  { skip },
  async () => {
    const url = bucket.url("x").replace(`s3://${bucket.bucket}`, "s3://heddle-nowhere");
    const objects = openUrl(url);
    const missing = { code: "FAILED_PRECONDITION", reason: "OBJECTS_BUCKET_MISSING" };
    const named =
      /no bucket heddle-nowhere, under .* on http.*: create it, or correct HEDDLE_OBJECTS_URL/;
    for (const attempt of [
      () => objects.put("a", bytes),
      () => objects.get("a"),
      () => objects.head("a"),
      () => objects.list(""),
      () => objects.delete("a"),
      () => objects.path("a"),
    ]) {
      await assert.rejects(attempt(), { ...missing, message: named });
    }
  },
);

test("a bucket that takes no writes still gives what it has", oursOnly, async () => {
  using folder = temporaryFolder("read-only");
  let url: (endpoint: string) => string;
  {
    await using writable = await startS3(folder.path);
    const made = await newBucket({ url: writable.url, skip: false, running: writable });
    url = (endpoint) => made.url("x", { endpoint, cache: copies.path });
    await openUrl(url(writable.url)).put("a", bytes);
  }
  await using readOnly = await startS3(folder.path, { readOnly: true });
  const objects = openUrl(url(readOnly.url));
  assert.deepEqual(Buffer.from(await objects.get("a")), bytes);
  await assert.rejects(objects.put("b", bytes), {
    code: "PERMISSION_DENIED",
    reason: "OBJECTS_DENIED",
    message: /read-only, or its policy lacks/,
  });
});

test(
  "credentials that are refused while running are read anew, and never told",
  oursOnly,
  async (t) => {
    const variables = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SHARED_CREDENTIALS_FILE"];
    const before = variables.map((name) => [name, process.env[name]] as const);
    t.after(() => {
      for (const [name, value] of before) {
        if (value === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = value;
      }
    });
    const file = `${copies.path}-credentials`;
    t.after(() => rmSync(file));
    const write = (secret: string): void => {
      const keys = `aws_access_key_id=${testCredentials.accessKeyId}\naws_secret_access_key=${secret}\n`;
      writeFileSync(file, `[default]\n${keys}`);
    };
    for (const name of variables) Reflect.deleteProperty(process.env, name);
    process.env["AWS_SHARED_CREDENTIALS_FILE"] = file;
    write(testCredentials.secretAccessKey);
    const objects = openAt({});
    await objects.put("a", bytes);
    // As when they expire: the server takes them no more.
    await using other = await startS3(copies.file("other"));
    const proxied = openAt({ endpoint: other.url });
    write("outdated-secret");
    await assert.rejects(
      proxied.put("a", bytes),
      (error: Error & { code?: string; reason?: string }) => {
        assert.deepEqual([error.code, error.reason], ["UNAUTHENTICATED", "OBJECTS_CREDENTIALS"]);
        assert.match(error.message, /renew those that/);
        assert.ok(!JSON.stringify([error.message, error.stack, error.cause]).includes("outdated"));
        return true;
      },
    );
    write(testCredentials.secretAccessKey);
    await assert.rejects(proxied.put("a", bytes), { reason: "OBJECTS_BUCKET_MISSING" });
    // Whoever has good ones goes on with them.
    assert.deepEqual(Buffer.from(await objects.get("a")), bytes);
  },
);

test(
  "a server that writes over what is there is refused before the first write",
  { skip },
  async (t) => {
    // One that knows no conditions, as older ones do: it does not see the header.
    const target = new URL(parseS3Location(bucket.url("x")).endpoint ?? "");
    const ignorant = createServer((incoming, outgoing) => {
      outgoing.setHeader("content-type", "application/xml");
      if (incoming.method === "PUT") {
        incoming.resume().on("end", () => outgoing.setHeader("etag", '"0"').end());
        return;
      }
      incoming.pipe(
        httpRequest(new URL(incoming.url ?? "/", target), incoming, (answer) =>
          answer.pipe(outgoing),
        ),
      );
    }).listen(0, "127.0.0.1");
    t.after(() => ignorant.close());
    await once(ignorant, "listening");
    const { port } = ignorant.address() as AddressInfo;
    await assert.rejects(openAt({ endpoint: `http://127.0.0.1:${port}` }).put("a", bytes), {
      code: "FAILED_PRECONDITION",
      reason: "OBJECTS_UNCONDITIONAL",
    });
  },
);

test(
  "an object that another hand put there, or changed, is reported and never returned",
  { skip },
  async () => {
    const place = `place-${(places += 1)}`;
    const objects = openUrl(bucket.url(place, { cache: copies.path }));
    await objects.put("changed", bytes);
    const sha256 = (await objects.head("changed"))?.sha256 ?? "";
    const write = (key: string, Metadata: Record<string, string>) =>
      bucket.client.send(
        new PutObjectCommand({
          Bucket: bucket.bucket,
          Key: `${bucket.prefix}/${place}/${key}`,
          Body: "bytez",
          Metadata,
        }),
      );
    await write("changed!", { "heddle-sha256": sha256 });
    await write("foreign!", {});
    await write("lost!", { "heddle-sha256-at": "nowhere" });
    await write("plain", {});
    const corrupt = { code: "DATA_LOSS", reason: "OBJECT_CORRUPT" };
    await assert.rejects(objects.get("changed"), corrupt);
    await assert.rejects(Array.fromAsync(objects.stream("changed")), corrupt);
    await assert.rejects(objects.path("changed"), corrupt);
    for (const name of ["foreign", "lost"]) {
      await assert.rejects(objects.get(name), corrupt, name);
      await assert.rejects(objects.head(name), corrupt, name);
    }
    assert.deepEqual(await objects.list(""), ["changed", "foreign", "lost"]);
  },
);

test("a region that is wrong, and no room, are told apart", { skip }, async () => {
  if (server.running !== undefined) {
    const elsewhere = openAt({ region: "eu-west-1" });
    await assert.rejects(elsewhere.get("a"), { reason: "OBJECTS_REGION_WRONG" });
  }
  const full = { name: "InsufficientStorage", $metadata: { httpStatusCode: 507 } };
  const { code, reason } = s3Error(full, "object a", "bucket b");
  assert.deepEqual([code, reason], ["RESOURCE_EXHAUSTED", "OBJECTS_FULL"]);
});

test("a file that changes while it is stored is not stored", { skip }, async () => {
  using folder = temporaryFolder("changing");
  const path = folder.file("f");
  writeFileSync(path, new Uint8Array(300 << 10));
  const objects = openAt({});
  await objects.put("first", bytes);
  let settled = false;
  const storing = objects.putFile("a", path).finally(() => (settled = true));
  storing.catch(() => undefined);
  // Somebody writes it all the time: the put takes several turns, and each finds it changed.
  for (let second = 1; !settled; second++) {
    utimesSync(path, second, second);
    await nextTurn();
  }
  await assert.rejects(storing, { code: "FAILED_PRECONDITION", reason: "FILE_CHANGED" });
  assert.equal(existsSync(path), true);
  assert.equal(await objects.head("a"), undefined);
});

test(
  "copies stay within their bytes, those asked for longest ago go first, damaged ones are fetched anew",
  { skip },
  async () => {
    using folder = temporaryFolder("copies");
    const objects = openAt({ cache: folder.path, cacheBytesMax: "3000" }, { copyKeptMs: -1_000 });
    const paths: string[] = [];
    for (const [n, name] of ["a", "b", "c"].entries()) {
      await objects.put(name, Buffer.alloc(1_000, n));
      paths.push(await objects.path(name));
    }
    assert.equal(await objects.path("a"), paths[0]);
    await objects.put("d.parquet", Buffer.alloc(1_500, 9));
    assert.match(await objects.path("d.parquet"), /-d\.parquet$/);
    assert.deepEqual(
      paths.map((path) => existsSync(path)),
      [true, false, false],
    );
    const first = paths[0] ?? "";
    assert.equal(statSync(folder.path).mode & 0o777, 0o700);
    chmodSync(first, 0o644);
    writeFileSync(first, Buffer.alloc(1_000, 7));
    assert.equal(await objects.path("a"), first);
    assert.deepEqual(readdirSync(folder.path).length, 2);
    await objects.put("too-large", Buffer.alloc(4_000));
    await assert.rejects(objects.path("too-large"), {
      code: "RESOURCE_EXHAUSTED",
      reason: "OBJECTS_CACHE_FULL",
      message: /raise cacheBytesMax=/,
    });
    const kept = openAt({ cache: folder.path, cacheBytesMax: "3000" });
    await kept.put("e", Buffer.alloc(1_500, 3));
    await kept.path("e");
    await kept.put("f", Buffer.alloc(1_600, 4));
    await assert.rejects(kept.path("f"), { reason: "OBJECTS_CACHE_FULL" });
  },
);
