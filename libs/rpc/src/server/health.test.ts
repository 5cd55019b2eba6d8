import assert from "node:assert/strict";
import { test } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@heddle/proto/health";
import { RegistryService } from "@heddle/proto/registry";
import { silentTelemetry } from "@heddle/telemetry";
import { connect, implement, serve } from "../index.ts";

const telemetry = silentTelemetry();
const actor = "test";

test("health says NOT_SERVING while the server drains", async () => {
  await using server = await serve({ implementations: [], telemetry });
  await using health = connect(Health, server.address, { telemetry, actor });
  assert.equal((await health.check({}, { timeoutMs: 5_000 })).status, Status.SERVING);
  server.setServing(false);
  assert.equal((await health.check({}, { timeoutMs: 5_000 })).status, Status.NOT_SERVING);
});

test("health says NOT_SERVING, and why, until what the server needs is well", async () => {
  let away = true;
  const check = () => (away ? Promise.reject(new Error("no route ☂")) : Promise.resolve());
  const alike = { name: "log", check };
  await using server = await serve({
    implementations: [],
    telemetry,
    needs: [{ name: "store", check }, { name: "objects", check: async () => {} }, alike],
  });
  await using health = connect(Health, server.address, { telemetry, actor });
  const stop = new AbortController();
  const seen: Status[] = [];
  const trailer = await trailerOfCheck(server.address);
  assert.deepEqual(trailer.get("heddle-not-serving"), [
    "store: NOT_USABLE: no route ?; log: NOT_USABLE: no route ?",
  ]);
  for await (const { status } of health.watch({}, { timeoutMs: 20_000, signal: stop.signal })) {
    seen.push(status);
    away = false;
    if (status === Status.SERVING) break;
  }
  stop.abort();
  assert.deepEqual(seen, [Status.NOT_SERVING, Status.SERVING]);
});

test("health is asked for by a service's name, too, and a name that is not served is refused with those that are", async () => {
  const handlers = Object.fromEntries(
    RegistryService.methods.map(({ localName }) => [localName, () => Promise.resolve({})]),
  );
  const implementations = [implement(RegistryService, handlers as never)];
  await using server = await serve({ implementations, telemetry });
  await using health = connect(Health, server.address, { telemetry, actor });
  const timeoutMs = 5_000;
  const { status } = await health.check({ service: RegistryService.typeName }, { timeoutMs });
  assert.equal(status, Status.SERVING);
  await assert.rejects(health.check({ service: "heddle.Nothing" }, { timeoutMs }), {
    code: "NOT_FOUND",
    message: /no service heddle\.Nothing here; there are heddle\.registry\.v1\.RegistryService/,
  });
  await assert.rejects(health.check({ service: "x".repeat(200_000) }, { timeoutMs }), {
    code: "NOT_FOUND",
    reason: "UNKNOWN_SERVICE",
    message: /there are heddle\.registry\.v1\.RegistryService/,
  });
  const watched = health.watch({ service: "heddle.Nothing" }, { timeoutMs });
  for await (const { status: first } of watched) {
    assert.equal(first, Status.SERVICE_UNKNOWN);
    break;
  }
});

test("a server that closes ends the watches of its health, and waits for none", async () => {
  const server = await serve({ implementations: [], telemetry, drainMs: 60_000 });
  await using health = connect(Health, server.address, { telemetry, actor });
  const seen: Status[] = [];
  for await (const { status } of health.watch({}, { timeoutMs: 20_000 })) {
    if (seen.push(status) === 1) void server[Symbol.asyncDispose]();
  }
  assert.deepEqual(seen, [Status.SERVING, Status.NOT_SERVING]);
});

/** What a client of another make is told besides the status; asked until there is something. */
async function trailerOfCheck(address: string): Promise<grpc.Metadata> {
  const { check } = Health.method;
  const client = new grpc.Client(address, grpc.credentials.createInsecure());
  for (;;) {
    const trailer = await new Promise<grpc.Metadata>((resolve, reject) => {
      const call = client.makeUnaryRequest(
        `/${Health.typeName}/${check.name}`,
        () => Buffer.alloc(0),
        (bytes: Buffer) => bytes,
        {},
        (error) => {
          if (error !== null) reject(error);
        },
      );
      call.on("status", (status: grpc.StatusObject) => resolve(status.metadata));
    });
    if (trailer.get("heddle-not-serving").length > 0) {
      client.close();
      return trailer;
    }
  }
}
