import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { HeddleError, sha256 } from "@heddle/base";
import { ModelServerService } from "@heddle/proto/model-server";
import { connect } from "@heddle/rpc";
import { entryOf, verifyChain } from "@heddle/store";
import { silentTelemetry, type SpanLine, startTelemetry } from "@heddle/telemetry";
import { type Bench, openBench, publication, requestId, soon, until } from "./fixtures/bench.ts";

const publish = (bench: Bench, version: string) => bench.sync.publish(publication(version), soon);

const rollback = (bench: Bench, version = "") =>
  bench.sync.rollback(
    { requestId: requestId(), fleet: "main", model: "shop", version, reason: "worse" },
    soon,
  );

test("a passed version is loaded, proved, routed, and then live", async () => {
  await using bench = await openBench();
  const version = await bench.registry.register(bench.objects, "a");
  await assert.rejects(bench.sync.getFleet({ fleet: "main" }, soon), { reason: "UNKNOWN_FLEET" });
  const { fleet } = await publish(bench, version);
  assert.equal(fleet?.rollout, undefined);
  const [serving] = fleet?.servings ?? [];
  assert.deepEqual([serving?.version, serving?.goldenError, serving?.previous], [version, 0, []]);
  assert.equal(serving?.expectedDigest, sha256("memory a"));
  assert.equal(serving?.reportedDigest, serving?.expectedDigest);
  assert.equal(bench.modelServer.routed(), version);
  assert.deepEqual(bench.registry.history, [version]);
  const { servings } = await bench.sync.verify({ fleet: "main" }, soon);
  assert.equal(servings[0]?.version, version);
});

test("a version that did not pass is never loaded", async () => {
  await using bench = await openBench();
  for (const verdict of ["", "fail", "not-enough-data"]) {
    const version = await bench.registry.register(bench.objects, `v${verdict}`, verdict);
    await assert.rejects(publish(bench, version), {
      reason: "VERSION_NOT_PASSED",
      message: /auc fell/,
    });
  }
  await assert.rejects(publish(bench, sha256("none")), { reason: "UNKNOWN_VERSION" });
  const elsewhere = { ...publication(sha256("none")), fleet: "moon" };
  await assert.rejects(bench.sync.publish(elsewhere, soon), { reason: "UNKNOWN_FLEET" });
  const nameless = { ...publication(sha256("none")), requestId: "" };
  await assert.rejects(bench.sync.publish(nameless, soon), { reason: "REQUEST_ID_MISSING" });
  assert.deepEqual([bench.modelServer.memory.size, bench.modelServer.routes], [0, []]);
});

test("what cannot be proved leaves the old version routed and live, and says why", async () => {
  await using bench = await openBench();
  const { modelServer, registry, objects } = bench;
  const first = await registry.register(objects, "a");
  await publish(bench, first);

  const attempt = async (seed: string, reason: string) => {
    const request = publication(await registry.register(objects, seed));
    await assert.rejects(bench.sync.publish(request, soon), { reason });
    await assert.rejects(
      bench.sync.publish(request, soon),
      { reason },
      "a repeat has the same answer",
    );
    assert.equal(modelServer.routed(), first);
    assert.deepEqual(registry.history, [first]);
    assert.deepEqual(
      [...modelServer.memory.keys()],
      [first],
      "what failed does not stay in memory",
    );
    const { fleet } = await bench.sync.getFleet({ fleet: "main" }, soon);
    assert.deepEqual([fleet?.rollout, fleet?.servings[0]?.version], [undefined, first]);
  };
  modelServer.damage = { digest: sha256("other bytes") };
  await attempt("b", "DIGEST_MISMATCH");
  modelServer.damage = { goldenError: 1e-4 };
  await attempt("c", "GOLDEN_MISMATCH");
  modelServer.damage = { goldenError: Number.NaN };
  await attempt("d", "GOLDEN_MISMATCH");
  modelServer.damage = { outputs: [] };
  await attempt("e", "GOLDEN_MISMATCH");
  modelServer.damage = {};
  const failures = [
    [new HeddleError("DATA_LOSS", "COPY_CORRUPT", "flipped"), "COPY_CORRUPT"],
    [new HeddleError("DATA_LOSS", "TENSOR_FILE_CORRUPT", "flipped"), "COPY_CORRUPT"],
    [new HeddleError("DATA_LOSS", "MEMORY_DIFFERS", "flipped"), "DIGEST_MISMATCH"],
    [new HeddleError("FAILED_PRECONDITION", "UNSUPPORTED_MODEL", "new"), "UNSUPPORTED_MODEL"],
  ] as const;
  for (const [error, reason] of failures) {
    modelServer.loadError = error;
    await attempt(error.reason.toLowerCase().replaceAll("_", "-"), reason);
  }
  modelServer.loadError = undefined;
  const gone = await registry.register(objects, "gone");
  await objects.delete("models/gone/dense");
  await assert.rejects(publish(bench, gone), { reason: "COPY_CORRUPT" });
  await objects.delete("models/gone/manifest");
  await assert.rejects(publish(bench, gone), { reason: "COPY_CORRUPT" });
  assert.equal(modelServer.routed(), first);
});

test("when the registry refuses the stage, traffic goes back", async () => {
  await using bench = await openBench();
  const { modelServer, registry, objects } = bench;
  registry.stageError = new HeddleError("FAILED_PRECONDITION", "RECIPE_UNRESOLVED", "no dataset");
  const first = await registry.register(objects, "a");
  await assert.rejects(publish(bench, first), { reason: "RECIPE_UNRESOLVED" });
  assert.equal(modelServer.routed(), "", "nothing served before, so the fallback does");
  registry.stageError = undefined;
  await publish(bench, first);
  registry.stageError = new HeddleError("FAILED_PRECONDITION", "RECIPE_UNRESOLVED", "no dataset");
  await assert.rejects(publish(bench, await registry.register(objects, "b")), {
    reason: "RECIPE_UNRESOLVED",
  });
  assert.equal(modelServer.routed(), first);
});

test("a rollback returns to the version before in one call, and the next one goes further back", async () => {
  await using bench = await openBench();
  const { registry, objects, modelServer } = bench;
  const versions: string[] = [];
  for (const seed of ["a", "b", "c", "d"]) {
    versions.push(await registry.register(objects, seed));
    await publish(bench, versions.at(-1) ?? "");
  }
  const [a = "", b = "", c = "", d = ""] = versions;
  registry.verdicts.set(c, "fail");
  const request = { requestId: requestId(), fleet: "main", model: "shop", reason: "worse" };
  const first = await bench.sync.rollback(request, soon);
  const again = await bench.sync.rollback(request, soon);
  assert.deepEqual([first.fromVersion, first.fleet?.servings[0]?.version], [d, c]);
  assert.deepEqual([again.fromVersion, again.fleet?.servings[0]?.version], [d, c]);
  assert.equal(modelServer.routed(), c);
  const named = await rollback(bench, a.slice(0, 8));
  assert.deepEqual([named.fromVersion, named.fleet?.servings[0]?.previous], [c, []]);
  assert.deepEqual(registry.history, [a, b, c, d, c, a]);
  await assert.rejects(rollback(bench), { reason: "NOTHING_TO_ROLL_BACK" });
  const undone = await rollback(bench, d.slice(0, 12));
  assert.deepEqual([undone.fromVersion, modelServer.routed()], [a, d]);
  await assert.rejects(rollback(bench, "f00d"), { reason: "UNKNOWN_VERSION" });
  const other = { requestId: requestId(), fleet: "main", model: "other", reason: "x" };
  await assert.rejects(bench.sync.rollback(other, soon), { reason: "NOTHING_TO_ROLL_BACK" });
});

test("a restarted model server gets back what should serve, at its new address", async () => {
  await using bench = await openBench({ callTimeoutMs: 500 });
  const { modelServer } = bench;
  const version = await bench.registry.register(bench.objects, "a");
  await publish(bench, version);
  await modelServer.stop();
  await assert.rejects(bench.sync.verify({ fleet: "main" }, { timeoutMs: 900 }), {
    code: /UNAVAILABLE|DEADLINE_EXCEEDED/,
  });
  await modelServer.start();
  await until(() => modelServer.routed() === version);
  await bench.sync.verify({ fleet: "main" }, soon);
});

test("a publication while the target is away goes on when it is back", async () => {
  await using bench = await openBench({ callTimeoutMs: 500 });
  const { modelServer, registry } = bench;
  const version = await registry.register(bench.objects, "a");
  await modelServer.stop();
  const request = publication(version);
  await assert.rejects(bench.sync.publish(request, { timeoutMs: 900 }), {
    code: /UNAVAILABLE|DEADLINE_EXCEEDED/,
  });
  // The caller gave up; that it was begun is written by itself.
  await until(async () => {
    const { fleet } = await bench.sync
      .getFleet({ fleet: "main" }, soon)
      .catch(() => ({ fleet: undefined }));
    return fleet?.rollout?.version === version;
  });
  await modelServer.start();
  await until(() => registry.history.includes(version));
  const done = await bench.sync.publish(request, soon);
  assert.equal(done.fleet?.servings[0]?.version, version);
  assert.equal(modelServer.routed(), version);
});

test("a publication that was left open ends before the next one begins", async () => {
  // Long enough that nobody but the next publication looks.
  await using bench = await openBench({ reconcileMs: 600_000, callTimeoutMs: 500 });
  const { modelServer, registry, objects } = bench;
  const [left, next] = [
    await registry.register(objects, "a"),
    await registry.register(objects, "b"),
  ];
  await modelServer.stop();
  await assert.rejects(publish(bench, left), { reason: "TARGET_UNAVAILABLE" });
  await modelServer.start();
  const { fleet } = await publish(bench, next);
  assert.deepEqual(fleet?.servings[0]?.previous, [left]);
  assert.deepEqual(registry.history, [left, next]);
});

test("what answers for a model that the fleet does not serve gives way to the fallback", async () => {
  await using bench = await openBench();
  const { modelServer, registry, objects } = bench;
  registry.stageError = new HeddleError("FAILED_PRECONDITION", "RECIPE_UNRESOLVED", "no dataset");
  await assert.rejects(publish(bench, await registry.register(objects, "a")), {
    reason: "RECIPE_UNRESOLVED",
  });
  modelServer.memory.set("stray", { digest: sha256("stray"), goldenError: 0 });
  const telemetry = silentTelemetry();
  await using client = connect(ModelServerService, modelServer.address(), {
    telemetry,
    actor: "somebody",
  });
  await client.route({ model: "shop", version: "stray" }, soon);
  await until(() => modelServer.routed() === "");
});

test("memory that changes under way is loaded afresh, and what stays wrong stops answering", async () => {
  await using bench = await openBench();
  const { modelServer } = bench;
  const version = await bench.registry.register(bench.objects, "a");
  await publish(bench, version);
  modelServer.memory.set(version, { digest: sha256("flipped"), goldenError: 0 });
  await until(() => modelServer.memory.get(version)?.digest === sha256("memory a"));
  modelServer.damage = { digest: sha256("flipped") };
  modelServer.memory.set(version, { digest: sha256("flipped"), goldenError: 0 });
  await until(() => modelServer.routed() === "");
  await assert.rejects(bench.sync.verify({ fleet: "main" }, soon), { reason: "DIGEST_MISMATCH" });
  modelServer.damage = {};
  await until(() => modelServer.routed() === version);
});

test("a proof is of memory as it is now and of its version alone; a look takes a digest of a minute ago", async () => {
  await using bench = await openBench();
  const { looks } = bench.modelServer;
  await publish(bench, await bench.registry.register(bench.objects, "a"));
  const version = await bench.registry.register(bench.objects, "b");
  const before = looks.length;
  await publish(bench, version);
  const published = looks.slice(before).filter(({ digestAgeMaxMs }) => digestAgeMaxMs === 0n);
  assert.deepEqual(
    published.map((look) => look.version),
    [version],
  );
  const after = looks.length;
  await until(() => looks.length > after);
  const { version: looked, digestAgeMaxMs } = looks.at(-1) ?? {};
  assert.deepEqual([looked, digestAgeMaxMs], ["", 60_000n]);
});

test("racing publications come one after the other, and the last one serves everywhere", async () => {
  await using bench = await openBench();
  const { registry, objects, modelServer } = bench;
  const versions: string[] = [];
  for (const seed of ["a", "b", "c", "d", "e"])
    versions.push(await registry.register(objects, seed));
  await Promise.all(versions.map((version) => publish(bench, version)));
  const { fleet } = await bench.sync.getFleet({ fleet: "main" }, soon);
  const served = fleet?.servings[0];
  assert.equal(served?.version, modelServer.routed());
  assert.equal(served?.version, registry.history.at(-1));
  assert.deepEqual([...(served?.previous ?? []), served?.version], registry.history);
  assert.equal(modelServer.memory.size, 2, "what serves and the one before it");
});

test("every rollout leaves its events, and their chain holds", async () => {
  await using bench = await openBench();
  const { registry, objects, eventLog } = bench;
  await publish(bench, await registry.register(objects, "a"));
  await assert.rejects(
    publish(
      bench,
      await registry.register(objects, "b", "pass").then(async (b) => {
        await objects.delete("models/b/dense");
        return b;
      }),
    ),
  );
  await publish(bench, await registry.register(objects, "c"));
  await rollback(bench);
  const read = async () => (await eventLog.read("heddle.serving.v1", 0, 0, 100)).map(entryOf);
  const changes = async () => (await read()).map(({ data }) => data["change"]);
  await until(async () => (await changes()).includes("rolled-back"));
  assert.deepEqual(await changes(), [
    ...["started", "verified", "serving"],
    ...["started", "failed"],
    ...["started", "verified", "serving"],
    ...["started", "verified", "rolled-back"],
  ]);
  const trail = (await eventLog.read("heddle.audit.v1", 0, 0, 100)).map(entryOf);
  verifyChain([...(await read()), ...trail].sort((x, y) => x.revision - y.revision));
});

test("a rollout leaves spans, and looks that find all as it was leave none", async () => {
  const folder = mkdtempSync(join(tmpdir(), "heddle-sync-spans-"));
  try {
    {
      await using telemetry = await startTelemetry({ service: "sync", folder, logLevel: "silent" });
      await using bench = await openBench({ own: telemetry });
      await publish(bench, await bench.registry.register(bench.objects, "a"));
      const before = bench.modelServer.looks.length;
      await until(() => bench.modelServer.looks.length >= before + 10);
    }
    const file = readdirSync(folder).find((name) => name.startsWith("spans-")) ?? "";
    const lines = readFileSync(join(folder, file), "utf8").trim().split("\n");
    const spans = lines.map((line) => JSON.parse(line) as SpanLine);
    const looks = spans.filter(({ name }) => /look|Loaded/.test(name));
    assert.ok(spans.some(({ name }) => name === "sync.rollout"));
    // The proof of the rollout is one, in its trace.
    const rollout = spans.find(({ name }) => name === "sync.rollout")?.traceId;
    assert.deepEqual(
      looks.map(({ traceId }) => traceId),
      looks.map(() => rollout),
    );
    assert.ok(looks.length > 0 && looks.length < 5, `${looks.length} looks in traces`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
