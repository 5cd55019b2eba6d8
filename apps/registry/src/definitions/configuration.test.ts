import assert from "node:assert/strict";
import { test } from "node:test";
import { definition } from "../fixtures/definition.ts";
import { openBench, requestId, soon } from "../fixtures/registry.ts";
import { readDefinition } from "./definition.ts";

test("a definition is registered once, and the one applied last is its model's current one", async () => {
  await using bench = await openBench();
  const { registry } = bench;
  const apply = (change: object) =>
    registry.createConfiguration(
      { requestId: requestId(), definitionJson: JSON.stringify({ ...definition, ...change }) },
      soon,
    );
  const current = async () =>
    (await registry.getConfiguration({ configuration: "", model: definition.name }, soon))
      .configuration;
  const first = await apply({});
  const second = await apply({ purpose: "ads" });
  assert.deepEqual([first.created, second.created], [true, true]);
  assert.equal(await current(), second.configuration);
  assert.equal((await apply({})).created, false);
  assert.equal(await current(), first.configuration);
  await assert.rejects(apply({ owner: "others" }), { reason: "MODEL_OWNED_BY_OTHER" });
  const others = readDefinition(JSON.stringify({ ...definition, owner: "others" }));
  await assert.rejects(registry.getConfiguration(others, soon), {
    reason: "UNKNOWN_CONFIGURATION",
  });
  await assert.rejects(apply({ extra: 1 }), { reason: "DEFINITION_INVALID" });
  const unknown = { configuration: "", model: "nothing" };
  await assert.rejects(registry.getConfiguration(unknown, soon), {
    reason: "UNKNOWN_MODEL",
  });
  await assert.rejects(registry.createConfiguration({ definitionJson: "{}" }, soon), {
    reason: "REQUEST_ID_MISSING",
  });
});

test("a definition that reads what the feature store does not know is refused and leaves no trace", async () => {
  await using bench = await openBench();
  const { registry } = bench;
  const definitionJson = JSON.stringify({ ...definition, views: ["produkt@1"] });
  await assert.rejects(
    registry.createConfiguration({ requestId: requestId(), definitionJson }, soon),
    {
      code: "INVALID_ARGUMENT",
      reason: "UNKNOWN_FEATURE",
      message: /produkt@1/,
    },
  );
  const asked = registry.getConfiguration({ model: definition.name }, soon);
  await assert.rejects(asked, { reason: "UNKNOWN_MODEL" });
  await assert.rejects(registry.whatWasLive({ model: definition.name }, soon), {
    reason: "UNKNOWN_MODEL",
  });
});
