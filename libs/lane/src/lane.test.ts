import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { connect as connectSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { HeddleError } from "@heddle/base";
import { AnswerSchema } from "@heddle/proto/lane";
import type { CallContext } from "@heddle/rpc";
import { detach } from "./frames/bulk.ts";
import { bodyBytes, encodeFrame } from "./frames/frame.ts";
import { offering, pull, push, signal, stats } from "./fixtures/echo.ts";
import { connectLane } from "./index.ts";

const call = { timeoutMs: 5_000 };
const pathOf = (address: string): string => address.replace("unix:", "");

for (const kind of ["unix", "tcp"] as const) {
  test(`${kind}: rows go both ways as they are, many calls at a time`, async () => {
    await using service = offering(
      {
        pull: async ({ tables, step }) => ({ rows: tables.map(({ ids }) => ids), step }),
        push: async ({ step, tables }) => ({
          step: step + BigInt(tables[0]?.gradients.length ?? 0),
        }),
      },
      kind,
    );
    await using lane = await service.connect();
    await Promise.all(
      [1, 8, 65_537, 3_000_000].map(async (length, n) => {
        const ids = new Uint8Array(length).map((_, i) => i % 251);
        const pulled = await lane.call(
          pull,
          { step: BigInt(n), tables: [{ table: "t", ids }, { ids }] },
          call,
        );
        assert.equal(pulled.step, BigInt(n));
        for (const rows of pulled.rows) {
          assert.equal(rows.byteOffset % 8, 0);
          assert.equal(Buffer.compare(rows, ids), 0);
        }
        const pushed = await lane.call(push, { step: 1n, tables: [{ gradients: ids }] }, call);
        assert.equal(pushed.step, 1n + BigInt(length));
      }),
    );
  });
}

test("a handler's error reaches the caller whole, one that is no HeddleError without details", async () => {
  const metadata = { applied: "3" };
  await using service = offering({
    pull: () =>
      Promise.reject(new HeddleError("FAILED_PRECONDITION", "STEP_ORDER", "no", { metadata })),
    push: () => Promise.reject(new Error("password is hunter2")),
  });
  await using lane = await service.connect();
  const expected = { code: "FAILED_PRECONDITION", reason: "STEP_ORDER", message: "no", metadata };
  await assert.rejects(lane.call(pull, {}, call), expected);
  await assert.rejects(lane.call(push, {}, call), (error: HeddleError) => {
    assert.equal(error.code, "INTERNAL");
    assert.doesNotMatch(error.message, /hunter2/);
    return true;
  });
  await assert.rejects(lane.call(stats, {}, call), { reason: "LANE_UNKNOWN_METHOD" });
});

test("a handler knows who calls, and aborts when its caller gives up, is late or goes", async () => {
  const seen: CallContext[] = [];
  const started = [
    Promise.withResolvers<void>(),
    Promise.withResolvers<void>(),
    Promise.withResolvers<void>(),
  ];
  await using service = offering({
    pull: (_request, context) => {
      started[seen.push(context) - 1]?.resolve();
      return new Promise((_resolve, reject) => {
        context.signal.addEventListener("abort", () => reject(context.signal.reason as Error));
      });
    },
  });
  const lane = await service.connect();
  const stop = new AbortController();
  const given = assert.rejects(lane.call(pull, {}, { ...call, signal: stop.signal }), {
    code: "CANCELLED",
  });
  await started[0]?.promise;
  stop.abort();
  await given;
  await assert.rejects(lane.call(pull, {}, { timeoutMs: 50 }), { code: "DEADLINE_EXCEEDED" });
  const gone = assert.rejects(lane.call(pull, {}, call), {
    code: "UNAVAILABLE",
    reason: "LANE_LOST",
  });
  await started[2]?.promise;
  await lane[Symbol.asyncDispose]();
  await gone;
  for (const { signal: told, actor } of seen) {
    if (!told.aborted) await new Promise((resolve) => told.addEventListener("abort", resolve));
    assert.equal(actor, "learner");
  }
  await assert.rejects(lane.call(pull, {}, call), { reason: "LANE_LOST" });
  assert.ok(lane.lost.aborted);
});

test("a token is good once, for its own offer, and the socket is gone after it", async () => {
  await using service = offering({ pull: async () => ({ step: 1n }) });
  const [offer, other] = [await service.offers.offer("a"), await service.offers.offer("b")];
  const refused = { code: "UNAUTHENTICATED", reason: "LANE_TOKEN_REFUSED" };
  for (const token of [other.token, new Uint8Array(), new Uint8Array(500)]) {
    await assert.rejects(connectLane({ address: offer.address, token }, { signal }), refused);
  }
  const knocking = connectSocket(pathOf(offer.address));
  await new Promise((resolve) => knocking.once("connect", resolve));
  await using lane = await connectLane(offer, { signal });
  assert.equal((await lane.call(pull, {}, call)).step, 1n);
  assert.equal(existsSync(pathOf(offer.address)), false);
  await assert.rejects(connectLane(offer, { signal }), { reason: "LANE_UNREACHABLE" });
  // Who connected before the token was used comes too late with it as well.
  const answer = new Promise<Buffer>((resolve) => knocking.once("data", resolve));
  const hello = Buffer.concat([Buffer.of(10, offer.token.length), offer.token]);
  for (const piece of encodeFrame("hello", 0, hello)) knocking.write(piece);
  assert.match((await answer).toString("latin1"), /LANE_TOKEN_REFUSED/);
});

test("an offer nobody takes ends, and so does a connection that says nothing", async () => {
  await using service = offering({}, "unix", { offerMs: 50, handshakeMs: 50 });
  const offer = await service.offers.offer("a");
  const silent = connectSocket(pathOf(offer.address));
  await new Promise((resolve) => silent.once("close", resolve).resume());
  while (existsSync(pathOf(offer.address))) await new Promise(setImmediate);
  await assert.rejects(connectLane(offer, { signal }), { reason: "LANE_UNREACHABLE" });
});

test("offers and lanes are bounded together", async () => {
  await using service = offering({}, "unix", { lanesMax: 2 });
  const lane = await service.connect();
  await service.offers.offer("b");
  const full = { code: "RESOURCE_EXHAUSTED", reason: "LANES_EXHAUSTED" };
  await assert.rejects(service.offers.offer("c"), full);
  await lane[Symbol.asyncDispose]();
  let offered = false;
  while (!offered) {
    await new Promise(setImmediate);
    offered = await service.offers.offer("c").then(
      () => true,
      () => false,
    );
  }
});

test("calls and bytes that wait for answers are bounded, and the lane lives on", async () => {
  const gate = Promise.withResolvers<void>();
  await using service = offering(
    { pull: async () => gate.promise.then(() => ({ step: 1n })) },
    "unix",
    { callsMax: 2, frameBytesMax: 2_048, outstandingBytesMax: 2_500 },
  );
  await using lane = await service.connect();
  const first = lane.call(pull, { tables: [{ ids: new Uint8Array(1_500) }] }, call);
  const of = (length: number) =>
    lane.call(pull, { tables: [{ ids: new Uint8Array(length) }] }, call);
  await assert.rejects(of(1_500), { reason: "LANE_OVERRUN", message: /more than 2500 bytes/ });
  await assert.rejects(of(3_000), { reason: "LANE_FRAME_TOO_LARGE" });
  const second = of(8);
  await assert.rejects(of(8), { reason: "LANE_OVERRUN", message: /more than 2 calls/ });
  gate.resolve();
  assert.deepEqual([(await first).step, (await second).step, (await of(8)).step], [1n, 1n, 1n]);
});

test("an answer that is too large for a frame fails its call, and one that just fits does not", async () => {
  const answer = { dense: new Uint8Array(5_000) };
  const { message, segments } = detach(pull.output, create(pull.output, answer));
  const segmentBytes = segments.map(({ length }) => length);
  const header = toBinary(AnswerSchema, create(AnswerSchema, { message, segmentBytes }));
  const size = bodyBytes(header, segments);
  const asked = async (frameBytesMax: number): Promise<number> => {
    await using service = offering({ pull: async () => answer }, "unix", { frameBytesMax });
    await using lane = await service.connect();
    return (await lane.call(pull, {}, call)).dense.length;
  };
  assert.equal(await asked(size), 5_000);
  await assert.rejects(asked(size - 1), { reason: "LANE_FRAME_TOO_LARGE" });
});

test("a closing service lets calls end", async () => {
  const gate = Promise.withResolvers<void>();
  const service = offering({ pull: async () => gate.promise.then(() => ({ step: 9n })) });
  await using lane = await service.connect();
  const last = lane.call(pull, {}, call);
  await lane.call(push, {}, call).catch(() => undefined);
  const closed = service[Symbol.asyncDispose]();
  gate.resolve();
  assert.equal((await last).step, 9n);
  await closed;
});

test("whoever gave up before connects to nobody, and leaves nothing behind to fail later", async () => {
  const place = { address: "unix:/no/such/socket", token: new Uint8Array(32) };
  const gone = AbortSignal.abort(new Error("given up"));
  await assert.rejects(connectLane(place, { signal: gone }), { reason: "LANE_UNREACHABLE" });
  // A failure that nobody awaits would be this test's.
  await new Promise((resolve) => setTimeout(resolve, 50));
});

test("an address that is none, or where nobody is, is refused with what to do", async () => {
  for (const address of [
    "",
    "http://x",
    "tcp:nowhere",
    "tcp:127.0.0.1:1",
    "unix:/no/such/socket",
  ]) {
    await assert.rejects(connectLane({ address, token: new Uint8Array(32) }, { signal }), {
      code: "UNAVAILABLE",
      reason: "LANE_UNREACHABLE",
      message: /call by gRPC/,
    });
  }
});

test("where no socket can be, an offer is refused with what to do, and leaves nothing behind", async () => {
  const folder = mkdtempSync(join(tmpdir(), "heddle-lane-test-"));
  const long = join(folder, "x".repeat(120));
  mkdirSync(long);
  const before = process.env["TMPDIR"];
  try {
    for (const place of [long, join(folder, "none")]) {
      process.env["TMPDIR"] = place;
      await using service = offering({});
      await assert.rejects(service.connect(), {
        code: "UNAVAILABLE",
        reason: "LANE_NOT_LISTENING",
        message: /set TMPDIR to a short path that can be written, or call by gRPC/,
      });
    }
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  }
  assert.deepEqual(readdirSync(long), []);
  rmSync(folder, { recursive: true });
});
