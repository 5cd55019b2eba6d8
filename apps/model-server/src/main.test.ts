import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ModelServerService } from "@heddle/proto/model-server";
import { connect } from "@heddle/rpc";
import { silentTelemetry } from "@heddle/telemetry";

const main = join(import.meta.dirname, "main.ts");

function start(folder: string, more: Record<string, string> = {}) {
  const env = {
    ...process.env,
    HEDDLE_MODEL_SERVER_OBJECTS: join(folder, "objects"),
    HEDDLE_MODEL_SERVER_COPIES: join(folder, "copies"),
    HEDDLE_MODEL_SERVER_TELEMETRY__LOG_LEVEL: "error",
    ...more,
  };
  const child = fork(main, { env, stdio: ["ignore", "ignore", "pipe", "ipc"] });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  return { child, exited };
}

test("the process says its address over the channel, serves, and ends with its parent or by SIGTERM", async () => {
  const folder = mkdtempSync(join(tmpdir(), "heddle-model-server-main-"));
  try {
    for (const end of ["SIGTERM", "disconnect"] as const) {
      const { child, exited } = start(folder);
      const { address } = await new Promise<{ address: string }>((resolve) => {
        child.once("message", (message) => resolve(message as { address: string }));
      });
      const options = { telemetry: silentTelemetry(), actor: "test" };
      await using server = connect(ModelServerService, address, options);
      assert.deepEqual((await server.loaded({}, { timeoutMs: 10_000 })).versions, []);
      if (end === "disconnect") child.disconnect();
      else child.kill(end);
      assert.equal(await exited, 0, end);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("an unknown setting stops it with the nearest known one", async () => {
  const { child, exited } = start(tmpdir(), { HEDDLE_MODEL_SERVER_COPYS: "x" });
  let said = "";
  child.stderr?.on("data", (chunk) => (said += String(chunk)));
  assert.equal(await exited, 1);
  assert.match(said, /unknown key "copys"; did you mean "copies"\?/);
});
