import assert from "node:assert/strict";
import { test } from "node:test";
import { ModelServerService } from "@heddle/proto/model-server";
import { connectLocal, implement } from "@heddle/rpc";
import { silentTelemetry } from "@heddle/telemetry";
import { untilRouted } from "./until-routed.ts";

/** A model server that is asked only what it holds, and says one thing after the other. */
function holding(...answers: readonly (readonly { model: string; routed: boolean }[])[]) {
  let asked = 0;
  const unused = () => Promise.reject(new Error("not called in this test"));
  const all = Object.fromEntries(ModelServerService.methods.map((of) => [of.localName, unused]));
  const loaded = async () => ({ versions: answers[Math.min(asked++, answers.length - 1)] });
  const implementation = implement(ModelServerService, { ...all, loaded } as never);
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
