import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { once } from "node:events";
import { test } from "node:test";
import * as grpc from "@grpc/grpc-js";
import type { HeddleError } from "@heddle/base";
import { RegistryService } from "@heddle/proto/registry";
import { silentTelemetry } from "@heddle/telemetry";
import { connect, implement, type Server, serve } from "../../index.ts";
import { openReplicas } from "./replicas.ts";
import type { Channels } from "./channel.ts";

const telemetry = silentTelemetry();
const options = { telemetry, actor: "test" };

/** A registry that counts its calls. */
async function startReplica(address = "127.0.0.1:0") {
  const counted = { calls: 0 };
  const handlers = Object.fromEntries(
    RegistryService.methods.map(({ localName }) => [
      localName,
      () => {
        counted.calls += 1;
        return Promise.resolve({});
      },
    ]),
  );
  const server = await serve({
    address,
    implementations: [implement(RegistryService, handlers as never)],
    telemetry,
    drainMs: 100,
  });
  return Object.assign(counted, server);
}
const both = (...servers: readonly Server[]): string =>
  servers.map(({ address }) => address).join(",");

test("calls are spread evenly over the replicas that serve", async () => {
  await using a = await startReplica();
  await using b = await startReplica();
  await using registry = connect(RegistryService, both(a, b), options);
  const call = () => registry.getRun({ run: "r" }, { timeoutMs: 5_000 });
  // Until both said that they serve.
  while (a.calls === 0 || b.calls === 0) await call();
  [a.calls, b.calls] = [0, 0];
  for (let n = 0; n < 20; n++) await call();
  assert.deepEqual([a.calls, b.calls], [10, 10]);
});

test("a replica that says NOT_SERVING gets no calls, and gets them again when it serves", async () => {
  await using a = await startReplica();
  await using b = await startReplica();
  await using registry = connect(RegistryService, both(a, b), options);
  const untilOnly = async (one: { calls: number }, other: { calls: number }): Promise<void> => {
    for (let calls = 0; ; calls++) {
      const before = [one.calls, other.calls] as const;
      for (let n = 0; n < 4; n++) await registry.getRun({ run: "r" }, { timeoutMs: 5_000 });
      if (one.calls === before[0] + 4 && other.calls === before[1]) return;
      assert.ok(calls < 1_000, "calls go to a replica that does not serve");
    }
  };
  a.setServing(false);
  await untilOnly(b, a);
  a.setServing(true);
  b.setServing(false);
  await untilOnly(a, b);
});

test("where none serves one is asked all the same", async () => {
  await using a = await startReplica();
  await using b = await startReplica();
  for (const each of [a, b]) each.setServing(false);
  await using registry = connect(RegistryService, both(a, b), options);
  await registry.getRun({ run: "r" }, { timeoutMs: 5_000 });
  assert.equal(a.calls + b.calls, 1);
});

test("a replica that ends, and one that never was, fail no call; one that comes back is used again", async () => {
  await using a = await startReplica();
  const b = await startReplica();
  const never = await startReplica();
  await never[Symbol.asyncDispose]();
  await using registry = connect(RegistryService, both(never, a, b), options);
  const call = () => registry.getRun({ run: "r" }, { timeoutMs: 5_000 });
  const calls: Promise<unknown>[] = [];
  for (let n = 0; n < 50; n++) calls.push(call());
  const ended = b[Symbol.asyncDispose]();
  for (let n = 0; n < 50; n++) calls.push(call());
  await Promise.all(calls);
  await ended;
  await using again = await startReplica(b.address);
  while (again.calls === 0) await call();
});

test("a server without health is used as one that serves", async () => {
  // It answers every call with UNIMPLEMENTED, as one does that knows no such service.
  await using a = await startReplica();
  const bare = new grpc.Server();
  const port = await new Promise<number>((resolve, reject) =>
    bare.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  await using registry = connect(RegistryService, `${a.address},127.0.0.1:${port}`, options);
  const outcomes = new Set<string>();
  while (outcomes.size < 2) {
    await registry.getRun({ run: "r" }, { timeoutMs: 5_000 }).then(
      () => outcomes.add("answered"),
      (error: unknown) => outcomes.add((error as HeddleError).code),
    );
  }
  assert.ok(outcomes.has("UNIMPLEMENTED"));
  bare.forceShutdown();
});

test("all addresses of a name are used, those that go are left, and a name that is nobody's is told", async () => {
  await using a = await startReplica("127.0.0.1:0");
  const port = a.address.split(":")[1] ?? "";
  await using registry = connect(RegistryService, `dns:///localhost:${port}`, options);
  await registry.getRun({ run: "r" }, { timeoutMs: 5_000 });
  assert.equal(a.calls, 1);

  await using nowhere = connect(RegistryService, `dns:///no-such-host.invalid:${port}`, options);
  await assert.rejects(nowhere.getRun({ run: "r" }, { timeoutMs: 2_000 }), {
    code: "UNAVAILABLE",
    reason: "SERVICE_NOT_FOUND",
    message: /no address of no-such-host\.invalid:\d+ is known \(.*ENOTFOUND|EAI_AGAIN/,
  });
});

test(
  "a name is looked up again, and tells of new addresses",
  { skip: process.platform !== "linux" && "needs 127.0.0.2" },
  async () => {
    await using a = await startReplica();
    const port = a.address.split(":")[1] ?? "";
    let hosts: readonly string[] = ["127.0.0.2"];
    const target = { kind: "name", host: "models", port } as const;
    const channels: Channels = openReplicas(target, () => Promise.resolve(hosts));
    await channels.opening();
    assert.equal(channels.next().address, `127.0.0.2:${port}`);
    hosts = ["127.0.0.1"];
    while (channels.next().address !== a.address) await new Promise((r) => setTimeout(r, 50));
    channels.close();
  },
);

test("a replica that takes connections and says nothing is passed over", async () => {
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => sockets.add(socket)).listen(0, "127.0.0.1");
  await once(silent, "listening");
  await using a = await startReplica();
  const { port } = silent.address() as AddressInfo;
  await using registry = connect(RegistryService, `127.0.0.1:${port},${a.address}`, options);
  for (let n = 0; n < 4; n++) await registry.getRun({ run: "r" }, { timeoutMs: 2_000 });
  assert.equal(a.calls, 4);
  for (const socket of sockets) socket.destroy();
  silent.close();
});
