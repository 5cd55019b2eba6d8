import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openExecutor } from "@heddle/executor";
import { type ObjectInfo, openFileObjects } from "@heddle/objects";
import { ModelServerService } from "@heddle/proto/model-server";
import { connect } from "@heddle/rpc";
import { silentTelemetry } from "@heddle/telemetry";
import { soon } from "./fixtures/bench.ts";
import { definition, rows, timeMs, writeVersion } from "./fixtures/model.ts";

const model = definition.name;
const asked = { model, rowsJson: JSON.stringify(rows), timeMs: BigInt(timeMs) };
const options = { telemetry: silentTelemetry(), actor: "test" };

/** A process of its own that serves a version: who answers is known by the version that it names. */
async function startReplica(folder: string, name: string, version: ObjectInfo, address?: string) {
  const child = fork(join(import.meta.dirname, "main.ts"), {
    env: {
      ...process.env,
      HEDDLE_MODEL_SERVER_OBJECTS: join(folder, "objects"),
      HEDDLE_MODEL_SERVER_COPIES: join(folder, name),
      HEDDLE_MODEL_SERVER_TELEMETRY__LOG_LEVEL: "error",
      ...(address === undefined ? {} : { HEDDLE_MODEL_SERVER_ADDRESS: address }),
    },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const [said] = (await once(child, "message")) as [{ address: string }];
  await using server = connect(ModelServerService, said.address, options);
  const manifest = { ...version, bytes: BigInt(version.bytes) };
  await server.load({ model, version: version.sha256, manifest }, soon);
  await server.route({ model, version: version.sha256 }, soon);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, "exit");
  };
  return { ...said, end, [Symbol.asyncDispose]: () => end("SIGKILL") };
}

test("predictions are spread over two replicas; neither a kill nor a stop of one fails a call, and it is used again when it is back", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "heddle-replicas-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const objects = await openFileObjects({ path: join(folder, "objects") });
  const executor = await openExecutor({ kind: "auto" });
  const [one, two] = [
    await writeVersion(objects, executor, 1),
    await writeVersion(objects, executor, 2),
  ];
  await using first = await startReplica(folder, "one", one);
  await using models = connect(ModelServerService, `${first.address},127.0.0.1:1`, options);
  assert.equal((await models.predict(asked, soon)).version, one.sha256);

  let second = await startReplica(folder, "two", two);
  await using both = connect(ModelServerService, `${first.address},${second.address}`, options);
  const predict = async (): Promise<string> =>
    (await both.predict(asked, { timeoutMs: 5_000 })).version;
  const untilBoth = async (): Promise<void> => {
    for (const seen = new Set<string>(); seen.size < 2;) seen.add(await predict());
  };
  await untilBoth();
  const spread = await Promise.all(Array.from({ length: 100 }, predict));
  assert.equal(spread.filter((version) => version === two.sha256).length, 50);

  for (const signal of ["SIGKILL", "SIGTERM"] as const) {
    let ended = false;
    const underWay = Promise.withResolvers<void>();
    const callers = Array.from({ length: 8 }, async () => {
      const versions: string[] = [];
      for (let after = 0; after < 5; after += ended ? 1 : 0) {
        if (versions.push(await predict()) === 10) underWay.resolve();
      }
      return versions;
    });
    await underWay.promise;
    await second.end(signal);
    ended = true;
    // None rejects.
    const answers = (await Promise.all(callers)).flat();
    assert.ok(answers.includes(two.sha256) && answers.includes(one.sha256), signal);
    assert.equal(await predict(), one.sha256);
    if (signal === "SIGTERM") break;
    second = await startReplica(folder, "two", two, second.address);
    await untilBoth();
  }
});
