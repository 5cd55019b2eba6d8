import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { HeddleError } from "@heddle/base";
import { RegistryService } from "@heddle/proto/registry";
import { SchedulerService } from "@heddle/proto/scheduler";
import { silentTelemetry } from "@heddle/telemetry";
import { type CallContext, connectLocal, implement, implementSome } from "./index.ts";

const options = { telemetry: silentTelemetry(), actor: "ana" };
type GetRun = (request: { run: string }, context: CallContext) => Promise<object>;

/** A registry of which only one method is called. */
function registryOf(getRun: GetRun) {
  return connectLocal(RegistryService, implementSome(RegistryService, { getRun }), options);
}

test("handler and caller see whole messages, and the handler who calls and the room it has", async () => {
  const registry = registryOf(async ({ run }, { actor, room }) => {
    return { run: { run: `${run} ${actor} ${room?.(3).length}` } };
  });
  const room = (bytes: number) => new Uint8Array(bytes);
  const answer = await registry.getRun({}, { timeoutMs: 1_000, room });
  assert.equal(answer.run?.run, " ana 3");
  assert.equal(answer.run?.version, "", "a field that nobody set");
});

test("a HeddleError passes as it is, anything else is INTERNAL and names the method", async () => {
  const refused = new HeddleError("NOT_FOUND", "UNKNOWN_RUN", "no run");
  const registry = registryOf(({ run }) =>
    Promise.reject(run === "a" ? refused : new TypeError("x is not a function")),
  );
  const call = { timeoutMs: 1_000 };
  await assert.rejects(registry.getRun({ run: "a" }, call), (error) => error === refused);
  const failed = { code: "INTERNAL", message: /RegistryService\/GetRun failed: x is not/ };
  await assert.rejects(registry.getRun({ run: "b" }, call), failed);
});

test("a call ends at its deadline or when it is cancelled, and its handler hears of it", async () => {
  const aborted: unknown[] = [];
  let calls = 0;
  const registry = registryOf((_request, { signal }) => {
    calls += 1;
    signal.addEventListener("abort", () => aborted.push(signal.reason));
    return new Promise(() => undefined);
  });
  const late = { code: "DEADLINE_EXCEEDED", reason: "RPC_DEADLINE_EXCEEDED" };
  await assert.rejects(registry.getRun({}, { timeoutMs: 20 }), late);
  const stop = new AbortController();
  const cancelled = { code: "CANCELLED", reason: "RPC_CANCELLED" };
  const waiting = assert.rejects(
    registry.getRun({}, { timeoutMs: 10_000, signal: stop.signal }),
    cancelled,
  );
  stop.abort();
  await waiting;
  await assert.rejects(registry.getRun({}, { timeoutMs: 9, signal: stop.signal }), cancelled);
  assert.equal(calls, 2, "who is cancelled before does not call");
  assert.deepEqual(
    aborted.map((reason) => (reason as HeddleError).reason),
    ["CALL_CANCELLED", "CALL_CANCELLED"],
  );
});

test("a call that is answered leaves neither timer nor listener behind", async () => {
  const registry = registryOf(() => Promise.resolve({}));
  const { signal } = new AbortController();
  const timers = () => process.getActiveResourcesInfo().filter((one) => one === "Timeout").length;
  const before = timers();
  await registry.getRun({}, { timeoutMs: 600_000, signal });
  assert.deepEqual([timers(), getEventListeners(signal, "abort").length], [before, 0]);
});

test("a service with streams, or without a handler, is refused at once", () => {
  const streaming = implementSome(SchedulerService, {});
  assert.throws(() => connectLocal(SchedulerService, streaming, options), /streams/);
  const none = implement(RegistryService, {} as never);
  assert.throws(() => connectLocal(RegistryService, none, options), /no handler/);
});
