import { chmod, readFile, writeFile } from "node:fs/promises";
import { canonicalJson, isHeddleError, sha256 } from "@heddle/base";
import { openExecutor } from "@heddle/executor";
import type { ObjectInfo } from "@heddle/objects";
import { encodeTensors } from "@heddle/tensor";
import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryDigest } from "../digest.ts";
import { tinyExamples } from "../fixtures/tiny.ts";
import { temporaryObjects, trainedModel } from "../fixtures/trained.ts";
import { openScorer, readManifest } from "./open.ts";
import type { ModelManifest } from "../port.ts";
import { score } from "../scoring/scoring.ts";
import { writeModel } from "./write.ts";

const executor = await openExecutor({ kind: "auto" });
const objects = await temporaryObjects();

test("a written version opens with the writer's digest, and repeats its golden outputs bit for bit", async () => {
  const model = trainedModel();
  const manifest = await writeModel(objects, model, executor);
  await using scorer = await openScorer({ objects, manifest, executor });
  assert.equal(scorer.version, manifest.sha256);
  assert.equal(scorer.manifest.model, "tiny");
  const digest = await memoryDigest(model);
  assert.deepEqual([await scorer.memoryDigest(), scorer.manifest.memoryDigest], [digest, digest]);
  assert.deepEqual(scorer.features, ["brand", "count", "price"]);
  const { outputs, recorded } = await scorer.golden();
  assert.equal(outputs.length, 16);
  assert.deepEqual(outputs, recorded);
  assert.deepEqual((await score(scorer, tinyExamples(40))).slice(0, 16), outputs);
});

test("the same model is the same version; one bit of one weight is another, and another digest", async () => {
  const first = await writeModel(objects, trainedModel(), executor);
  assert.deepEqual(await writeModel(objects, trainedModel(), executor), first);
  const changed = trainedModel();
  changed.values[0] = Math.fround(changed.values[0]! * (1 + 2 ** -23));
  const second = await writeModel(objects, changed, executor);
  assert.notEqual(second.sha256, first.sha256);
  assert.notEqual(await memoryDigest(changed), await memoryDigest(trainedModel()));
});

test("one flipped byte in any file, or in the manifest, is refused", async () => {
  const manifest = await writeModel(objects, trainedModel(), executor);
  const { files } = await readManifest(objects, manifest);
  assert.equal(files.length, 5);
  for (const name of [...files.map(({ object }) => object), manifest.name]) {
    const path = await objects.path(name);
    const good = await readFile(path);
    const bad = Buffer.from(good);
    bad[bad.length >> 1]! ^= 1;
    await chmod(path, 0o600);
    await writeFile(path, bad);
    await assert.rejects(openScorer({ objects, manifest, executor }), { code: "DATA_LOSS" }, name);
    await writeFile(path, good);
  }
  await using scorer = await openScorer({ objects, manifest, executor });
  assert.equal(scorer.version, manifest.sha256);
});

/** Writes a version whose manifest is changed after the fact, with digests that hold. */
async function forged(change: (manifest: ModelManifest) => Promise<unknown>): Promise<ObjectInfo> {
  const manifest = await readManifest(objects, await writeModel(objects, trainedModel(), executor));
  const bytes = Buffer.from(canonicalJson(await change(manifest)));
  return objects.put(`forged/${sha256(bytes)}`, bytes);
}

/** The manifest with another file in the place of one. */
async function replaced(
  manifest: ModelManifest,
  role: string,
  bytes: Uint8Array,
): Promise<ModelManifest> {
  const { name: object, ...info } = await objects.put(`forged/${sha256(bytes)}`, bytes);
  const files = manifest.files.map((file) =>
    file.role === role ? { role, object, ...info } : file,
  );
  return { ...manifest, files };
}

test("a version whose parts do not belong together is refused although every digest holds", async () => {
  const open = async (change: (manifest: ModelManifest) => Promise<unknown>): Promise<unknown> =>
    openScorer({ objects, manifest: await forged(change), executor });
  const refused = (reason: string) => (error: unknown) => isHeddleError(error, reason);
  const lessFiles = open(async (m) => ({ ...m, files: m.files.slice(1) }));
  await assert.rejects(lessFiles, refused("MODEL_INCONSISTENT"));
  await assert.rejects(
    open(async (m) => ({ ...m, format: "x" })),
    refused("UNSUPPORTED_MODEL"),
  );
  await assert.rejects(
    open(async (m) => ({ ...m, memoryDigest: "0" })),
    refused("MEMORY_DIFFERS"),
  );

  const { definition, dense, ids } = trainedModel();
  const flat = Object.entries(dense).map(([name, data]) => [
    name,
    { dtype: "float32", shape: [data.length], data },
  ]);
  const wrongShapes = encodeTensors(Object.fromEntries(flat) as never);
  await assert.rejects(
    open((m) => replaced(m, "dense", wrongShapes)),
    refused("MODEL_INCONSISTENT"),
  );
  const fewValues = encodeTensors({
    ids: { dtype: "uint64", shape: [ids.length], data: ids },
    values: { dtype: "float32", shape: [1], data: new Float32Array(1) },
  });
  await assert.rejects(
    open((m) => replaced(m, "embeddings", fewValues)),
    refused("MODEL_INCONSISTENT"),
  );
  const otherModel = Buffer.from(
    canonicalJson({ ...definition, architecture: { ...definition.architecture, dimension: 4 } }),
  );
  await assert.rejects(
    open((m) => replaced(m, "definition", otherModel)),
    refused("MODEL_INCONSISTENT"),
  );
});

test("a manifest that is no JSON is refused", async () => {
  const bytes = Buffer.from("not json");
  const manifest = await objects.put("forged/text", bytes);
  await assert.rejects(openScorer({ objects, manifest, executor }), {
    reason: "UNSUPPORTED_MODEL",
  });
});

test("a model without golden rows, or with tensors of other sizes, is not written", async () => {
  const { dense } = trainedModel();
  const wrong = [
    { change: { golden: tinyExamples(0) }, reason: "NO_GOLDEN_ROWS" },
    { change: { dense: { ...dense, output_bias: new Float32Array(2) } }, reason: "WRONG_SIZE" },
    { change: { dense: {} }, reason: "WRONG_SIZE" },
    { change: { values: new Float32Array(3) }, reason: "WRONG_SIZE" },
    { change: { golden: { ...tinyExamples(3), features: {} } }, reason: "MISSING_FEATURE" },
  ];
  for (const { change, reason } of wrong) {
    await assert.rejects(writeModel(objects, trainedModel(change), executor), { reason });
  }
});
