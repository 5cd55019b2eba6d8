import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { systemClock } from "@heddle/base";
import { parseStrict } from "@heddle/config";
import { type SpanLine, startTelemetry } from "@heddle/telemetry";
import { type TemporaryFolder, temporaryFolder } from "@heddle/testkit";
import { z } from "zod";
import { openBackends, type Ports } from "./open.ts";
import { backendSettings } from "./settings.ts";

type Tracing = Awaited<ReturnType<typeof startTelemetry>>;

/** The spans that the work leaves, in the order in which they ended. */
async function spansOf(
  folder: TemporaryFolder,
  traceShare: number,
  work: (ports: Ports, telemetry: Tracing) => Promise<void>,
): Promise<readonly SpanLine[]> {
  const given = { state: folder.file("state"), objects: folder.file("objects") };
  const places = parseStrict(z.strictObject(backendSettings("unused")), given, "settings", "BAD");
  const spans = folder.file("telemetry");
  {
    const place = { folder: spans, traceShare, logLevel: "silent" };
    await using telemetry = await startTelemetry({ service: "test", ...place });
    await using backends = await openBackends(places, { clock: systemClock, random: Math.random });
    await work(backends.portsOf("test", telemetry), telemetry);
  }
  return readdirSync(spans)
    .filter((file) => file.startsWith("spans-"))
    .flatMap((file) => readFileSync(`${spans}/${file}`, "utf8").split("\n"))
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as SpanLine);
}

const record = { key: "k", value: new Uint8Array(1), headers: {} };

async function useAll({ store, objects, eventLog }: Ports): Promise<void> {
  const documents = store.collection("things");
  await documents.put("key", { is: 1 }, 0);
  await documents.get("key");
  await objects.put("object", new Uint8Array(2));
  await objects.get("object");
  await eventLog.append("topic", [record]);
  await eventLog.read("topic", 0, 0, 1);
}

test("within a span each call of a port is one, and its attributes say where it went", async () => {
  using folder = temporaryFolder("traced");
  const spans = await spansOf(folder, 1, (ports, telemetry) =>
    telemetry.span("work", {}, () => useAll(ports)),
  );
  const [work] = spans.filter(({ name }) => name === "work");
  const others = spans.filter((span) => span !== work);
  assert.deepEqual(
    others.map(({ name }) => name),
    ["put things", "get things", "object put", "object get", "send topic", "receive topic"],
  );
  for (const { parentSpanId } of others) assert.equal(parentSpanId, work?.spanId);
  const [put, , object, , send] = others.map(({ attributes }) => attributes);
  assert.deepEqual([put?.["db.system.name"], put?.["db.collection.name"]], ["lmdb", "things"]);
  assert.deepEqual([object?.["heddle.objects"], object?.["heddle.object"]], ["folder", "object"]);
  assert.equal(send?.["messaging.system"], "heddle-log");
  assert.equal(send["messaging.batch.message_count"], 1);
});

test("outside of a span, and in a trace that is not kept, ports make none and records stay as they are", async () => {
  using folder = temporaryFolder("traced");
  using other = temporaryFolder("traced");
  const untouched = async (ports: Ports): Promise<void> => {
    await useAll(ports);
    const [stored] = await ports.eventLog.read("topic", 0, 0, 1);
    assert.deepEqual(stored?.headers, {});
  };
  assert.deepEqual(await spansOf(folder, 1, untouched), []);
  const kept = await spansOf(other, 0, (ports, telemetry) =>
    telemetry.span("work", {}, () => untouched(ports)),
  );
  assert.deepEqual(kept, []);
});

test("a record's consumer goes on in the trace of its sender; a try that fails is marked", async () => {
  using folder = temporaryFolder("traced");
  const spans = await spansOf(folder, 1, async ({ eventLog }, telemetry) => {
    await telemetry.span("work", {}, () => eventLog.append("topic", [record]));
    const stop = new AbortController();
    let tries = 0;
    const handle = async (): Promise<void> => {
      tries += 1;
      if (tries === 1) throw new Error("not yet");
      await telemetry.span("effect", {}, async () => stop.abort());
    };
    await eventLog.subscribe({ topic: "topic", group: "group" }, handle, stop.signal);
  });
  const named = (name: string) => spans.filter((span) => span.name === name);
  const [send] = named("send topic");
  const [failed, processed] = named("process topic");
  assert.deepEqual([failed?.parentSpanId, processed?.parentSpanId], [send?.spanId, send?.spanId]);
  assert.deepEqual([failed?.error, processed?.error], ["not yet", undefined]);
  assert.equal(named("effect")[0]?.parentSpanId, processed?.spanId);
  assert.equal(new Set(spans.map(({ traceId }) => traceId)).size, 1);
});

test("what a relay appends later belongs to the trace of the change, which its records carry", async () => {
  using folder = temporaryFolder("traced");
  const spans = await spansOf(folder, 1, async ({ eventLog }, telemetry) => {
    const change = await telemetry.span("change", {}, async () => telemetry.traceparent() ?? "");
    const relayed = { ...record, headers: { traceparent: change } };
    await eventLog.append("topic", [relayed]);
    const [stored] = await eventLog.read("topic", 0, 0, 1);
    assert.deepEqual(stored?.headers, relayed.headers);
  });
  const [change, send] = spans;
  assert.deepEqual(
    [send?.name, send?.parentSpanId, send?.traceId],
    ["send topic", change?.spanId, change?.traceId],
  );
});
