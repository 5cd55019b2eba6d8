import assert from "node:assert/strict";
import { test } from "node:test";
import { HeddleError } from "@heddle/base";
import { ModelServerService } from "@heddle/proto/model-server";
import { connectLocal, implementSome } from "@heddle/rpc";
import { silentTelemetry } from "@heddle/telemetry";
import { askRouted, untilRouted } from "./until-routed.ts";

/** A model server that is asked only what it holds, and says one thing after the other. */
function holding(...answers: readonly (readonly { model: string; routed: boolean }[])[]) {
  let asked = 0;
  const loaded = async () => ({
    versions: [...(answers[Math.min(asked++, answers.length - 1)] ?? [])],
  });
  const implementation = implementSome(ModelServerService, { loaded });
  const options = { telemetry: silentTelemetry(), actor: "test" };
  const modelServer = connectLocal(ModelServerService, implementation, options);
  return { modelServer, asked: () => asked };
}

test("it waits until a version of this very model is routed, however long loading takes", async () => {
  const other = { model: "other", routed: true };
  const server = holding(
    [],
    [other],
    [other, { model: "m", routed: false }],
    [{ model: "m", routed: true }],
  );
  await untilRouted(server, "m");
  assert.equal(server.asked(), 4);
});

test("it does not wait for ever", async () => {
  const server = holding([{ model: "m", routed: false }]);
  await untilRouted(server, "m", 150);
  assert.ok(server.asked() >= 1 && server.asked() <= 3, `${server.asked()} questions`);
});

test("it asks once where a version answers, and again where only the fallback or none did", async () => {
  const unknown = new HeddleError("NOT_FOUND", "UNKNOWN_MODEL", "no version answers here");
  for (const [first, asks, looks] of [
    [{ version: "v1" }, 1, 0],
    [{ version: "" }, 2, 1],
    [unknown, 2, 1],
  ] as const) {
    const server = holding([{ model: "m", routed: true }]);
    let asked = 0;
    const answer = await askRouted(server, "m", async () => {
      asked += 1;
      if (asked > 1) return { version: "v1" };
      if (first instanceof HeddleError) throw first;
      return first;
    });
    assert.deepEqual([answer.version, asked, server.asked()], ["v1", asks, looks]);
  }
  const refused = new HeddleError("INVALID_ARGUMENT", "MISSING_FEATURE", "no age");
  const server = holding([]);
  await assert.rejects(
    askRouted(server, "m", () => Promise.reject(refused)),
    (error) => error === refused,
  );
  assert.equal(server.asked(), 0);
});
