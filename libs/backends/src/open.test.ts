import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { systemClock } from "@heddle/base";
import { parseStrict } from "@heddle/config";
import { silentTelemetry } from "@heddle/telemetry";
import { temporaryFolder } from "@heddle/testkit";
import { z } from "zod";
import { type Backends, openBackends } from "./open.ts";
import { backendSettings } from "./settings.ts";

const deps = { clock: systemClock, random: Math.random };
const storeOf = (backends: Backends, service: string) =>
  backends.portsOf(service, silentTelemetry()).store;
const settings = (given: object) =>
  parseStrict(z.strictObject(backendSettings("unused")), given, "settings", "CONFIG_INVALID");

test("without servers documents, events and online values share one folder, and outlive the process's opening", async () => {
  using folder = temporaryFolder("backends");
  const places = settings({ state: folder.file("state"), objects: folder.file("objects") });
  {
    await using backends = await openBackends(places, deps);
    await storeOf(backends, "one").collection("c").put("key", { is: 1 }, 0);
    await storeOf(backends, "two").collection("c").put("key", { is: 2 }, 0);
    await backends.eventLog.append("t", [{ key: "k", value: new Uint8Array(1), headers: {} }]);
    const row = { key: "e=1", eventTimeMs: 5, values: { v: 1 } };
    const ports = backends.withOnline(backends.portsOf("one", silentTelemetry()));
    assert.deepEqual(ports.needs, []);
    await ports.online.put("view", [row]);
    await backends.objects.put("object", new Uint8Array(2));
  }
  await using backends = await openBackends(places, deps);
  const of = async (service: string) =>
    (await storeOf(backends, service).collection("c").get("key"))?.value;
  assert.deepEqual([await of("one"), await of("two")], [{ is: 1 }, { is: 2 }]);
  const partitions = await backends.eventLog.positions("t");
  assert.equal(
    partitions.reduce((records, { start, end }) => records + end - start, 0),
    1,
  );
  const { online } = backends.withOnline(backends.portsOf("one", silentTelemetry()));
  assert.equal((await online.get("view", ["e=1"]))[0]?.eventTimeMs, 5);
  assert.equal((await backends.objects.head("object"))?.bytes, 2);
});

test("a state folder that another process has open is refused, and opens again when that one has closed it", async () => {
  using folder = temporaryFolder("backends");
  const places = settings({ state: folder.file("state"), objects: folder.file("objects") });
  {
    await using _first = await openBackends(places, deps);
    await assert.rejects(openBackends(places, deps), {
      code: "FAILED_PRECONDITION",
      reason: "STATE_FOLDER_IN_USE",
      message: new RegExp(`pid ${process.pid}\\) keeps its documents or events in ${places.state}`),
    });
  }
  await using _again = await openBackends(places, deps);
});

test("where servers keep all, opening makes no folder and waits for no server", async () => {
  using folder = temporaryFolder("backends");
  // Nobody listens there.
  const places = settings({
    state: folder.file("state"),
    storeUrl: "mongodb://127.0.0.1:1/heddle",
    logUrl: "kafka://127.0.0.1:1/",
    objects: "s3://bucket/prefix?endpoint=http://127.0.0.1:1&region=x",
  });
  await using backends = await openBackends(places, deps);
  assert.equal(storeOf(backends, "one").collection("c") === undefined, false);
  assert.equal(existsSync(folder.file("state")), false);
  // A key, whoever's: without one it would be looked for at the machine's cloud.
  process.env["AWS_ACCESS_KEY_ID"] = process.env["AWS_SECRET_ACCESS_KEY"] = "none";
  const objectStore = backends.needs.find(({ name }) => name === "object store");
  await assert.rejects(objectStore?.check() ?? Promise.resolve(), {
    reason: "OBJECTS_UNAVAILABLE",
  });
  const eventLog = backends.needs.find(({ name }) => name === "event log");
  await assert.rejects(eventLog?.check() ?? Promise.resolve(), {
    reason: "LOG_UNAVAILABLE",
    message: /127\.0\.0\.1:1/,
  });
});

test("where events are on servers, online values are a replica of this process, which is behind until it has seen them", async () => {
  using folder = temporaryFolder("backends");
  const places = settings({ state: folder.file("state"), logUrl: "kafka://127.0.0.1:1/" });
  await using backends = await openBackends(places, deps);
  const { needs } = backends.withOnline(backends.portsOf("one", silentTelemetry()));
  assert.equal(existsSync(folder.file("state", "online")), true);
  const online = needs.find(({ name }) => name === "online values");
  await assert.rejects(online?.check() ?? Promise.resolve(), { reason: "ONLINE_REPLICA_BEHIND" });
});

test("a place that is none is refused by name, and no password is shown", async () => {
  using folder = temporaryFolder("backends");
  const at = (given: object) => openBackends(settings({ state: folder.path, ...given }), deps);
  await assert.rejects(at({ storeUrl: "mongodb://me:hunter2@host" }), (error: Error) => {
    assert.match(JSON.stringify(error) + error.message, /STORE_URL_INVALID/);
    assert.doesNotMatch(error.message, /hunter2/);
    return true;
  });
  await assert.rejects(at({ logUrl: "http://host" }), { reason: "LOG_URL_INVALID" });
  const kafka = { logUrl: "kafka://127.0.0.1:1/", logUser: "me" };
  for (const logPasswordFile of [undefined, folder.file("none")]) {
    const given = logPasswordFile === undefined ? kafka : { ...kafka, logPasswordFile };
    await assert.rejects(at(given), { reason: "LOG_PASSWORD_UNREADABLE" });
  }
  await assert.rejects(at({ objects: "ftp://host" }), { reason: "OBJECTS_URL_INVALID" });
  const shown = JSON.stringify(settings({ storeUrl: "mongodb://me:hunter2@host/d" }));
  assert.doesNotMatch(shown, /hunter2/);
});
