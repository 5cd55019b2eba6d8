import assert from "node:assert/strict";
import { test } from "node:test";
import { Stage } from "@heddle/proto/registry";
import { definition } from "./fixtures/definition.ts";
import { dataset, openBench, passed, requestId, segment, soon } from "./fixtures/registry.ts";

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
