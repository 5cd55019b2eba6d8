import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openBackends, placesIn } from "@heddle/backends";
import { HeddleError, type Json, systemClock } from "@heddle/base";
import { type EventLog, ingestTopicOf } from "@heddle/eventlog";
import { FeatureStoreService } from "@heddle/proto/feature-store";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@heddle/proto/health";
import { connect } from "@heddle/rpc";
import type { DocumentStore } from "@heddle/store";
import { type Telemetry, silentTelemetry } from "@heddle/telemetry";
import { type TemporaryFolder, temporaryFolder } from "@heddle/testkit";
import { clickEvents, clicks } from "../fixtures/clicks.ts";
import { call } from "../fixtures/world.ts";
import { type FeatureStoreDeps, startFeatureStore } from "../start.ts";

const deps = { clock: systemClock, random: Math.random };
const topic = ingestTopicOf("clicks");
const windowRecords = clicks.stream?.windowRecords ?? assert.fail("clicks come by the log");

/** A log whose first read of the source's topic waits until what it wants was cut by another and is gone. */
function overtaken(log: EventLog): EventLog {
  let first = true;
  return {
    ...log,
    read: async (name, partition, offset, limit) => {
      if (name === topic && first) {
        first = false;
        while ((await log.positions(topic))[0]?.start === offset) await sleep(5);
      }
      return await log.read(name, partition, offset, limit);
    },
  };
}

function noting(errors: unknown[]): Telemetry {
  const silent = silentTelemetry();
  return { ...silent, log: { ...silent.log, error: (fields) => errors.push(fields) } };
}

test("a window that another feature store cut, and removed, while it was read is theirs, and nothing is wrong", async () => {
  using folder = temporaryFolder("two-stores");
  const pseudonymKeyFile = folder.file("pseudonym.key");
  writeFileSync(pseudonymKeyFile, "the same for both");
  await using backends = await openBackends(placesIn(folder.path), deps);
  const ports = backends.withOnline(backends.portsOf("feature-store", silentTelemetry()));
  const errors: unknown[] = [];
  const start = async (name: string, eventLog: EventLog) => {
    const own = { stateFolder: folder.file(name), pseudonymKeyFile, telemetry: noting(errors) };
    return startFeatureStore({ ...ports, ...deps, ...own, eventLog });
  };
  await using one = await start("one", ports.eventLog);
  await using two = await start("two", overtaken(ports.eventLog));
  const client = ({ address }: { readonly address: string }) =>
    connect(FeatureStoreService, address, { telemetry: silentTelemetry(), actor: "test" });
  await using ofOne = client(one);
  await using ofTwo = client(two);
  const definitionJson = JSON.stringify(clicks);
  await ofOne.applyDefinition({ requestId: "apply", definitionJson }, call);

  const events = clickEvents(4 * windowRecords).map((json) => ({ json }));
  const append = (to: typeof ofOne, from: number) =>
    to.appendEvents({ source: "clicks", events: events.slice(from, from + windowRecords) }, call);
  // It is woken by them, and begins to cut; the other one finds them when it looks by itself.
  await append(ofTwo, 0);
  const cutBy = async (store: typeof ofOne, offset: number) => {
    for (;;) {
      const stream = await store.getStream({ source: "clicks" }, call);
      if (Number(stream.partitions[0]?.startOffset) >= offset) return stream;
      await sleep(10);
    }
  };
  await cutBy(ofOne, windowRecords);
  for (let n = 1; n < 4; n++) await append(n % 2 === 0 ? ofOne : ofTwo, n * windowRecords);
  for (const store of [ofOne, ofTwo]) {
    const { windows, problem, refused } = await cutBy(store, events.length);
    assert.deepEqual([windows, problem, refused], [4, "", {}]);
  }
  const { segments } = await ofTwo.getSource({ source: "clicks", branch: "" }, call);
  assert.deepEqual(
    segments.map((segment) => [segment.fileName, Number(segment.events)]),
    [0, 1, 2, 3].map((n) => [`window ${n}`, windowRecords]),
  );
  assert.deepEqual(errors, []);
});

test("two feature stores do not share a folder, of which each would empty what the other has under way", async () => {
  using folder = temporaryFolder("two-stores");
  await using backends = await openBackends(placesIn(folder.path), deps);
  const ports = backends.withOnline(backends.portsOf("feature-store", silentTelemetry()));
  const start = () =>
    startFeatureStore({
      ...{ ...ports, ...deps, telemetry: silentTelemetry() },
      ...{ stateFolder: folder.file("same"), pseudonymKeyFile: folder.file("pseudonym.key") },
    });
  {
    await using _one = await start();
    await assert.rejects(start(), {
      code: "FAILED_PRECONDITION",
      reason: "STATE_FOLDER_IN_USE",
      message: new RegExp(`pid ${process.pid}.*same`),
    });
  }
  await using _again = await start();
});

const differs = {
  code: "FAILED_PRECONDITION",
  reason: "PSEUDONYM_KEY_DIFFERS",
  message: /other\.key.*replaces [0-9a-f]{16}/,
};

test("a feature store whose pseudonym key is not that of the others does not start", async () => {
  using folder = temporaryFolder("two-stores");
  await using backends = await openBackends(placesIn(folder.path), deps);
  const ports = backends.withOnline(backends.portsOf("feature-store", silentTelemetry()));
  await using _one = await startWithKey("one", folder, ports);
  await assert.rejects(startWithKey("other", folder, ports), differs);
});

test("one that could not ask the store when it started does not serve, and takes no event", async () => {
  using folder = temporaryFolder("two-stores");
  await using backends = await openBackends(placesIn(folder.path), deps);
  const ports = backends.withOnline(backends.portsOf("feature-store", silentTelemetry()));
  await using one = await startWithKey("one", folder, ports);
  await untilHealth(one.address, Status.SERVING);
  await using other = await startWithKey("other", folder, {
    ...ports,
    store: awayAtFirst(ports.store),
  });
  await untilHealth(other.address, Status.NOT_SERVING);
  const options = { telemetry: silentTelemetry(), actor: "test" };
  await using client = connect(FeatureStoreService, other.address, options);
  await client.applyDefinition(
    { requestId: "apply", definitionJson: JSON.stringify(clicks) },
    call,
  );
  const [event = ""] = clickEvents(1);
  const bytes = Buffer.from(event);
  const header = { requestId: "1", source: "clicks", format: "jsonl", fileName: "e.jsonl" };
  const file = async function* () {
    yield { header: { ...header, bytes: BigInt(bytes.length) }, chunk: bytes };
  };
  await assert.rejects(client.ingest(file(), call), differs);
});

function startWithKey(
  name: string,
  folder: TemporaryFolder,
  ports: Pick<FeatureStoreDeps, "store" | "eventLog" | "objects" | "online">,
) {
  return startFeatureStore({
    ...{ ...ports, ...deps, telemetry: silentTelemetry() },
    ...{ stateFolder: folder.file(name), pseudonymKeyFile: folder.file(`${name}.key`) },
  });
}

/** A store whose server is away when it is asked for the first time. */
function awayAtFirst(store: DocumentStore): DocumentStore {
  let away = true;
  return {
    ...store,
    collection: <T extends Json | object>(name: string) => {
      const documents = store.collection<T>(name);
      return {
        ...documents,
        get: (key: string) => {
          if (!away) return documents.get(key);
          away = false;
          return Promise.reject(new HeddleError("UNAVAILABLE", "STORE_UNAVAILABLE", "away"));
        },
      };
    },
  };
}

async function untilHealth(address: string, wanted: Status): Promise<void> {
  await using health = connect(Health, address, { telemetry: silentTelemetry(), actor: "test" });
  while ((await health.check({}, call)).status !== wanted) await sleep(5);
}
