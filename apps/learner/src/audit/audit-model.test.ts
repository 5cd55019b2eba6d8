import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "@heddle/base";
import { openExecutor } from "@heddle/executor";
import { FeatureStoreService } from "@heddle/proto/feature-store";
import { RegistryService } from "@heddle/proto/registry";
import { connect } from "@heddle/rpc";
import { silentTelemetry } from "@heddle/telemetry";
import { localExamples } from "../data/examples.ts";
import { attempt } from "../fixtures/attempt.ts";
import { memoryReader, tinyDefinition } from "../fixtures/data.ts";
import { openWorld, type World } from "../fixtures/world.ts";
import { auditModel } from "./audit-model.ts";
import { auditModelBatchSize } from "./batch-size/audit-model.ts";
import type { AuditDeps } from "./audited.ts";

const { signal } = new AbortController();
const request = {
  ...{ model: "tiny", reader: "test", inFlight: [2], tolerance: 0.001 },
  ...{ replicates: 50, seed: 1 },
};

async function withDeps<T>(world: World, use: (deps: AuditDeps) => Promise<T>): Promise<T> {
  const telemetry = silentTelemetry();
  const client = { telemetry, actor: "test" };
  const { services } = world.input(1);
  await using registry = connect(RegistryService, services, client);
  await using featureStore = connect(FeatureStoreService, services, client);
  return await use({
    ...{ registry, featureStore, telemetry, clock: systemClock },
    executor: await openExecutor({ kind: "auto" }),
    openExamples: (_columns, partitions) => localExamples(memoryReader(), partitions),
  });
}

const auditOf = (world: World) => withDeps(world, (deps) => auditModel(deps, request, signal));

test("a model is audited on the dataset of its newest version, with its own overlap among those compared", async () => {
  await using world = await openWorld(tinyDefinition({ lag: 1 }), 1);
  await attempt(world.input(1), memoryReader());
  const { model, own, settings, heldOutRows } = await auditOf(world);
  assert.equal(model, "tiny");
  assert.deepEqual([own.inFlight, own.staleness], [2, 1]);
  assert.deepEqual(
    settings.map(({ inFlight, staleness }) => [inFlight, staleness]),
    [
      [1, 0],
      [2, 1],
      [2, 4],
    ],
  );
  // The last two of ten batches: 20 rows of the last partition.
  assert.equal(heldOutRows, 20);
});

test("its batch size is audited on the first rows of that dataset", async () => {
  await using world = await openWorld(tinyDefinition(), 1);
  await attempt(world.input(1), memoryReader());
  const meter = { seconds: () => performance.now(), cpuSeconds: () => performance.now() };
  const { trainedRows, heldOutRows, sizes } = await withDeps(world, (deps) =>
    auditModelBatchSize(
      deps,
      {
        ...{
          model: "tiny",
          reader: "test",
          rowsMax: 100,
          sizes: [8],
          rates: "keep",
          per: "second",
        },
        ...{ tolerance: 0.001, within: 0.05, rounds: 1, residentBytesMax: Infinity },
        ...{ meter: { ...meter, residentBytes: () => 1 }, replicates: 50, seed: 1 },
      },
      signal,
    ),
  );
  assert.deepEqual([trainedRows, heldOutRows], [80, 20]);
  // 50 rows of the first partition and 30 of the second.
  assert.deepEqual(
    sizes.map(({ batchSize, steps }) => [batchSize, steps]),
    [
      [8, 11],
      [16, 6],
    ],
  );
});

test("a model without a version is refused with what to do", async () => {
  await using world = await openWorld(tinyDefinition(), 1);
  await assert.rejects(auditOf(world), {
    code: "FAILED_PRECONDITION",
    reason: "NO_VERSION",
    message: /model tiny has no version yet.*heddle train/,
  });
});
