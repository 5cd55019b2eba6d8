import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { SyncService } from "@heddle/proto/sync";
import { connect } from "@heddle/rpc";
import { silentTelemetry } from "@heddle/telemetry";
import { openPeers, publication, soon, until } from "./fixtures/bench.ts";

type Peers = Awaited<ReturnType<typeof openPeers>>;

async function startChild({ folder, registry, modelServer }: Peers, failpoint = "") {
  const program = join(import.meta.dirname, "fixtures/sync-child.ts");
  const child = fork(program, [folder, registry.address, modelServer.address()], {
    env: { ...process.env, HEDDLE_FAILPOINT: failpoint },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const exited = new Promise<NodeJS.Signals | null>((resolve) => {
    child.once("exit", (_, signal) => resolve(signal));
  });
  const address = await new Promise<string>((resolve) => {
    child.once("message", (message) => resolve(message as string));
  });
  const sync = connect(SyncService, address, { telemetry: silentTelemetry(), actor: "test" });
  return {
    sync,
    exited,
    [Symbol.asyncDispose]: async () => {
      await sync[Symbol.asyncDispose]();
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

for (const step of ["copy", "load", "verify", "route", "stage"]) {
  test(`a publication killed after ${step} is finished by the next start`, async () => {
    await using peers = await openPeers();
    const { registry, modelServer, objects } = peers;
    const first = await registry.register(objects, "a");
    const second = await registry.register(objects, "b");
    const request = publication(second);
    {
      await using child = await startChild(peers, `sync.publish.after-${step}@2`);
      await child.sync.publish(publication(first), soon);
      await assert.rejects(child.sync.publish(request, { timeoutMs: 2_000 }));
      assert.equal(await child.exited, "SIGKILL");
    }
    if (step === "verify") {
      // The target forgets, too: what was proved before the crash does not count.
      await modelServer.stop();
      await modelServer.start();
    }
    assert.ok([first, second, ""].includes(modelServer.routed()));
    await using child = await startChild(peers);
    await until(async () => {
      const { fleet } = await child.sync.getFleet({ fleet: "main" }, soon);
      return fleet?.rollout === undefined && fleet?.servings[0]?.version === second;
    });
    const { fleet } = await child.sync.publish(request, soon);
    assert.deepEqual(fleet?.servings[0]?.previous, [first]);
    assert.equal(modelServer.routed(), second);
    assert.deepEqual(registry.history, [first, second], "it went live once");
    await child.sync.verify({ fleet: "main" }, soon);
  });
}
