import assert from "node:assert/strict";
import { test } from "node:test";
import { Stage } from "@heddle/proto/registry";
import type { Documents } from "@heddle/store";
import { definition } from "../fixtures/definition.ts";
import {
  dataset,
  ingestion,
  openBench,
  passed,
  requestId,
  segment,
  soon,
} from "../fixtures/registry.ts";
import { type Edge, openEdges } from "./edges.ts";
import { segmentsOf } from "./origin.ts";

test("lineage walks from a served version to its sources and authors, and back", async () => {
  await using bench = await openBench();
  const { registry } = bench;
  const first = await passed(bench);
  const second = await passed(bench, first);
  await registry.setStage({ requestId: requestId(), version: second, stage: Stage.LIVE }, soon);

  const { nodes, edges } = await registry.lineage({ node: second.slice(0, 8) }, soon);
  assert.equal(nodes[0]?.id, `version:${second}`);
  const kinds = Object.groupBy(nodes, ({ kind }) => kind);
  const ids = (kind: string) => (kinds[kind] ?? []).map(({ id }) => id).sort();
  assert.deepEqual(ids("served"), ["served:shop-ranking"]);
  assert.deepEqual(ids("dataset"), [`dataset:${dataset}`]);
  assert.deepEqual(ids("view"), ["view:product@1"]);
  assert.deepEqual(ids("source"), ["source:clicks", "source:prices"]);
  assert.deepEqual(ids("segment"), [`segment:${segment}`]);
  assert.deepEqual(ids("author"), ["author:ada@example.com", "author:bo@example.com"]);
  assert.deepEqual([ids("version").length, ids("run").length], [2, 2]);
  const known = new Set(nodes.map(({ id }) => id));
  for (const edge of edges) assert.ok(known.has(edge.from) && known.has(edge.to));

  for (const node of [
    "source:clicks",
    "view:product@1",
    `dataset:${dataset.slice(0, 8)}`,
    dataset,
  ]) {
    const back = await registry.lineage({ node }, soon);
    const found = back.nodes.map(({ id }) => id);
    for (const id of [`version:${first}`, `version:${second}`, "served:shop-ranking"]) {
      assert.ok(found.includes(id), `${node} leads to ${id}`);
    }
  }
});

test("a version resolves to its run, the snapshot it ended with, its dataset, and the segments and offsets behind it", async () => {
  await using bench = await openBench();
  const { registry, objects } = bench;
  const name = await passed(bench);
  const run = (await registry.getVersion({ version: name }, soon)).version?.run ?? "";
  const object = await objects.put("snapshots/last", Buffer.from("snapshot"));
  const manifest = { ...object, bytes: BigInt(object.bytes) };
  const taken = { requestId: requestId(), run, snapshot: { step: 7n, manifest } };
  await registry.recordSnapshot(taken, soon);

  const { version, snapshot, segments } = await registry.getOrigin(
    { version: name.slice(0, 9) },
    soon,
  );
  assert.deepEqual([version?.version, version?.run, version?.number], [name, run, 1]);
  assert.equal(version?.recipe?.dataset, dataset);
  assert.deepEqual([snapshot?.step, snapshot?.manifest?.sha256], [7n, object.sha256]);
  assert.equal(segments.length, 1);
  const [{ source, rowHash, fileName, log, traceparent } = assert.fail()] = segments;
  assert.deepEqual(
    [source, rowHash, fileName, traceparent],
    ["clicks", segment, "window 3", ingestion],
  );
  assert.deepEqual([log[0]?.fromOffset, log[0]?.toOffset], [5n, 17n]);
  await assert.rejects(registry.getOrigin({ version: "0".repeat(64) }, soon), {
    reason: "UNKNOWN_VERSION",
  });

  const { nodes } = await registry.lineage({ node: name }, soon);
  const facts = nodes.find(({ kind }) => kind === "segment")?.facts;
  assert.deepEqual(facts, {
    ...{ source: "clicks", from: "window 3", events: "12" },
    ...{ topic: "heddle.ingest.clicks.v1", offsets: "0: 5 to 17", trace: "1".repeat(32) },
  });
});

test("a manifest from before origins were kept still names its segments", () => {
  const inputs = ["view:product@1", `segment:${segment}`];
  assert.deepEqual(segmentsOf({ segments: [], inputs }), [{ rowHash: segment }]);
});

test("a lineage is bounded, nearest first, and an unknown node is named", async () => {
  await using bench = await openBench({ lineageNodesMax: 3 });
  const version = await passed(bench);
  const { nodes } = await bench.registry.lineage({ node: `version:${version}` }, soon);
  assert.deepEqual(nodes.map(({ kind }) => kind).slice(0, 2), ["version", "run"]);
  assert.equal(nodes.length, 3);
  for (const node of ["source:none", "abcdef", "version:abcdef", "dataset:00", "what:ever"]) {
    await assert.rejects(bench.registry.lineage({ node }, soon), { reason: "UNKNOWN_NODE" });
  }
});

test("an edge that is found from where it begins is found from its end, too, after a death between the two writes", async () => {
  const written: string[] = [];
  const documents = (put: Documents<Edge>["put"]) =>
    ({ put, list: async () => ({ items: [] }) }) as unknown as Documents<Edge>;
  const origins = documents(async (key) => written.push(key));
  const results = documents(() => Promise.reject(new Error("died")));
  const edges = openEdges(origins, results);
  const edge = { from: "run:1", to: "dataset:2", relation: "read" };
  await assert.rejects(edges.add([edge]), /died/);
  assert.deepEqual(written, []);
});

test("a model that takes parameters over from a version leads to it; the version must be there", async () => {
  await using bench = await openBench();
  const source = await passed(bench);
  const apply = (from: string) => {
    const transfer = { from, dense: ["deep0"] };
    const child = { ...definition, training: { ...definition.training, transfer } };
    const request = { requestId: requestId(), definitionJson: JSON.stringify(child) };
    return bench.registry.createConfiguration(request, soon);
  };
  await assert.rejects(apply("0123456789abcdef".repeat(4)), { reason: "UNKNOWN_VERSION" });
  const { configuration } = await apply(source);
  const node = `configuration:${configuration}`;
  const { edges, nodes } = await bench.registry.lineage({ node }, soon);
  const edge = edges.find(({ relation }) => relation === "takes parameters from");
  assert.deepEqual([edge?.from, edge?.to], [node, `version:${source}`]);
  assert.ok(nodes.some(({ id }) => id === `version:${source}`));
});
