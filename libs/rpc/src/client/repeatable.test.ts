import assert from "node:assert/strict";
import { test } from "node:test";
import type { DescService } from "@bufbuild/protobuf";
import { EvaluatorService } from "@heddle/proto/evaluator";
import { FeatureStoreService } from "@heddle/proto/feature-store";
import { ModelServerService } from "@heddle/proto/model-server";
import { ParameterServerService } from "@heddle/proto/parameter-server";
import { RegistryService } from "@heddle/proto/registry";
import { SchedulerService } from "@heddle/proto/scheduler";
import { SyncService } from "@heddle/proto/sync";
import { isRepeatable } from "./repeatable.ts";
import { streamsIn } from "../method.ts";

/** Methods whose requests have no `request_id`, and why a repeat of them has no second effect. A new one needs a line here. */
const repeatable: Readonly<Record<string, readonly string[]>> = {
  "they only read": [
    ...["GetMetric", "GetEvaluation", "ListDefinitions", "CheckModel", "GetStream", "GetSource"],
    ...["ResolveDataset", "GetDataset", "GetOnlineFeatures", "Loaded", "Golden", "Predict", "Rank"],
    ...["Pull", "Stats", "GetConfiguration", "GetRun", "ListRuns", "GetVersion", "ListVersions"],
    ...["WhatWasLive", "Lineage", "GetOrigin", "GetPipeline", "GetPipelineRun", "ListPipelineRuns"],
    ...["WatchPipelineRun", "AwaitGang", "GetFleet", "Verify"],
  ],
  "they set a state, and set it again": [
    ...["Load", "Route", "Unload", "Configure", "Freeze", "Restore", "Rejoin", "Heartbeat"],
  ],
  "a lane more, and the one that nobody uses is closed": ["OpenLane"],
  "a second grant is a second record in the audit, and no second right": ["GrantRead"],
  "they name what they are of, and the second of one thing is none": [
    // By the event's id, the learner's step, the cut's objects, the attempt's fence.
    ...["AppendEvents", "Push", "Snapshot", "Complete"],
  ],
};

const services: readonly DescService[] = [
  ...[EvaluatorService, FeatureStoreService, ModelServerService, ParameterServerService],
  ...[RegistryService, SchedulerService, SyncService],
];

test("each method without a request id is known to be repeatable, and no line is left over", () => {
  const without = services
    .flatMap(({ methods }) => methods)
    .filter((method) => !streamsIn(method) && method.input.field["requestId"] === undefined);
  assert.deepEqual(without.map(({ name }) => name).sort(), Object.values(repeatable).flat().sort());
  assert.ok(without.every((method) => isRepeatable(method, {})));
});

test("a call with a request id is repeated only when it has one, and a stream of requests never", () => {
  const { setStage } = RegistryService.method;
  assert.equal(isRepeatable(setStage, {}), false);
  assert.equal(isRepeatable(setStage, { requestId: "" }), false);
  assert.equal(isRepeatable(setStage, { requestId: "once" }), true);
  assert.equal(isRepeatable(FeatureStoreService.method.ingest, {}), false);
});
