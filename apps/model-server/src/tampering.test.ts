import assert from "node:assert/strict";
import { chmodSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { canonicalJson, sha256 } from "@heddle/base";
import { type ModelManifest, readManifest } from "@heddle/model";
import type { ObjectInfo } from "@heddle/objects";
import { type Bench, openBench, soon } from "./fixtures/bench.ts";
import { definition, rows, timeMs, writeVersion } from "./fixtures/model.ts";

const model = definition.name;
const asked = { model, rowsJson: JSON.stringify(rows), timeMs: BigInt(timeMs) };

/** The data file of an object, found by its digest, whatever the store calls it. */
function fileOf(bench: Bench, store: "objects" | "copies", digest: string): string {
  const root = join(bench.folder, store);
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && sha256(readFileSync(path)) === digest) return path;
  }
  throw new Error(`no file in ${store} has the digest ${digest}`);
}

function change(path: string, edit: (bytes: Buffer) => Uint8Array): void {
  chmodSync(path, 0o644);
  writeFileSync(path, edit(readFileSync(path)));
}

const flip = (bytes: Buffer): Buffer => {
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  return bytes;
};

async function written(bench: Bench): Promise<{ place: ObjectInfo; manifest: ModelManifest }> {
  const place = await writeVersion(bench.objects, bench.executor, 1);
  return { place, manifest: await readManifest(bench.objects, place) };
}

const digestOf = (manifest: ModelManifest, role: string): string =>
  manifest.files.find((file) => file.role === role)?.sha256 ?? "";

async function refused(bench: Bench, place: ObjectInfo, reason = "COPY_CORRUPT"): Promise<void> {
  await assert.rejects(bench.load(place), { reason });
  const route = bench.server.route({ model, version: place.sha256 }, soon);
  await assert.rejects(route, { reason: "NOT_LOADED" });
  assert.deepEqual((await bench.server.loaded({}, soon)).versions, []);
}

for (const role of ["definition", "dense", "embeddings", "transform", "golden"]) {
  test(`one flipped byte in the ${role} file is caught before it is loaded`, async () => {
    await using bench = await openBench();
    const { place, manifest } = await written(bench);
    change(fileOf(bench, "objects", digestOf(manifest, role)), flip);
    await refused(bench, place);
  });
}

test("a truncated file is caught before it is loaded", async () => {
  await using bench = await openBench();
  const { place, manifest } = await written(bench);
  change(fileOf(bench, "objects", digestOf(manifest, "dense")), (bytes) => bytes.subarray(0, -1));
  await refused(bench, place);
});

test("two swapped files are caught before they are loaded", async () => {
  await using bench = await openBench();
  const { place, manifest } = await written(bench);
  const dense = fileOf(bench, "objects", digestOf(manifest, "dense"));
  const embeddings = fileOf(bench, "objects", digestOf(manifest, "embeddings"));
  renameSync(dense, `${dense}.swap`);
  renameSync(embeddings, dense);
  renameSync(`${dense}.swap`, embeddings);
  await refused(bench, place);
});

test("a missing file is caught before anything is loaded", async () => {
  await using bench = await openBench();
  const { place, manifest } = await written(bench);
  await bench.objects.delete(manifest.files[0]?.object ?? "");
  await refused(bench, place);
});

test("a tampered manifest is not the version it claims to be", async () => {
  await using bench = await openBench();
  const { place, manifest } = await written(bench);
  const text = (changed: object): Buffer => Buffer.from(canonicalJson({ ...manifest, ...changed }));

  const forged = await bench.objects.put("models/forged", text({ negativeSamplingRate: 1 }));
  const claim = { ...forged, bytes: BigInt(forged.bytes) };
  const request = { model, version: place.sha256, manifest: claim };
  await assert.rejects(bench.server.load(request, soon), { reason: "MANIFEST_INVALID" });

  const other = await bench.objects.put("models/other", text({ model: "other" }));
  await refused(bench, other, "MANIFEST_INVALID");
  const bare = await bench.objects.put("models/bare", text({ files: [] }));
  await refused(bench, bare, "MANIFEST_INVALID");
  const foreign = await bench.objects.put("models/foreign", text({ format: "heddle-model/9" }));
  await refused(bench, foreign, "UNSUPPORTED_MODEL");
  const digest = await bench.objects.put("models/digest", text({ memoryDigest: sha256("x") }));
  await refused(bench, digest, "MEMORY_DIFFERS");

  change(fileOf(bench, "objects", place.sha256), flip);
  await refused(bench, place);
});

test("one flipped byte in memory changes the reported digest and stops the route", async () => {
  await using bench = await openBench();
  const { place, manifest } = await written(bench);
  assert.equal(await bench.load(place), manifest.memoryDigest);
  const embeddings = manifest.files.find(({ role }) => role === "embeddings");
  const bytes = bench.memory.get(embeddings?.object ?? "") ?? Buffer.alloc(0);
  const recent = { digestAgeMaxMs: 3_600_000n };
  const digests = async (request: object): Promise<readonly string[]> => {
    const { versions } = await bench.server.loaded(request, soon);
    return versions.map(({ memoryDigest }) => memoryDigest);
  };
  assert.deepEqual(await digests(recent), [manifest.memoryDigest]);
  // The last values of the last tensor, so that a bit of a weight turns and no header is hit.
  bytes[bytes.length - 2] = (bytes[bytes.length - 2] ?? 0) ^ 1;

  assert.deepEqual(await digests(recent), [manifest.memoryDigest], "who takes an old one gets it");
  assert.deepEqual(await digests({ ...recent, version: "another" }), []);
  await sleep(5);
  const [found] = await digests({ version: place.sha256, digestAgeMaxMs: 1n });
  assert.notEqual(found, manifest.memoryDigest);
  assert.deepEqual([await digests(recent), await digests({})], [[found], [found]]);
  const route = bench.server.route({ model, version: place.sha256 }, soon);
  await assert.rejects(route, { reason: "DIGEST_MISMATCH" });
  await assert.rejects(bench.server.predict(asked, soon), { reason: "UNKNOWN_MODEL" });

  assert.equal(
    await bench.load(place),
    manifest.memoryDigest,
    "another load replaces what is damaged",
  );
  await bench.server.route({ model, version: place.sha256 }, soon);
});

test("a copy that was damaged on the server's disk is made afresh", async () => {
  await using bench = await openBench();
  const { place, manifest } = await written(bench);
  await bench.load(place);
  change(fileOf(bench, "copies", digestOf(manifest, "dense")), flip);
  const dense = bench.memory.get(manifest.files.find(({ role }) => role === "dense")?.object ?? "");
  if (dense !== undefined) dense[dense.length - 1] = (dense[dense.length - 1] ?? 0) ^ 1;
  assert.equal(await bench.load(place), manifest.memoryDigest);
});
