import assert from "node:assert/strict";
import { type AddressInfo, connect as connectSocket, createServer } from "node:net";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { CallSchema, HelloSchema } from "@heddle/proto/lane";
import { PullRequestSchema } from "@heddle/proto/parameter-server";
import { offering, signal } from "../fixtures/echo.ts";
import { detach } from "../frames/bulk.ts";
import { encodeFrame } from "../frames/frame.ts";
import { connectLane, type Offer } from "../index.ts";

/** A caller that keeps no limit: frames of its own making, after a token that is good. */
function roughly({ address, token }: Offer) {
  const socket = connectSocket(address.replace("unix:", ""));
  const heard: Buffer[] = [];
  socket.on("data", (piece: Buffer) => heard.push(piece));
  const say = (...frame: Parameters<typeof encodeFrame>): void => {
    for (const piece of encodeFrame(...frame)) socket.write(piece);
  };
  const asks = (id: number, table = "", timeoutMs = 5_000): void => {
    const request = create(PullRequestSchema, { tables: [{ table }] });
    const { message, segments } = detach(PullRequestSchema, request);
    const segmentBytes = segments.map(({ length }) => length);
    const called = create(CallSchema, { method: "Pull", message, segmentBytes, timeoutMs });
    say("call", id, toBinary(CallSchema, called), segments);
  };
  const text = (): string => Buffer.concat(heard).toString("latin1");
  const ended = new Promise<string>((resolve) => socket.once("close", () => resolve(text())));
  say("hello", 0, toBinary(HelloSchema, create(HelloSchema, { token })));
  return { socket, asks, text, ended, [Symbol.dispose]: () => socket.destroy() };
}

test("a caller that keeps no limit is told which, and its lane ends", async () => {
  const never = new Promise<never>(() => undefined);
  const limits = { callsMax: 2, frameBytesMax: 2_048, outstandingBytesMax: 2_500 };
  await using service = offering({ pull: () => never }, "unix", limits);
  const table = "t".repeat(1_500);
  const wrong: [(asks: (id: number, table?: string) => void) => void, RegExp][] = [
    [(asks) => [1, 2, 3].forEach((id) => asks(id)), /LANE_OVERRUN.*more than 2 calls/s],
    [(asks) => [1, 2].forEach((id) => asks(id, table)), /LANE_OVERRUN.*more than 2500 bytes/s],
    [(asks) => [1, 1].forEach((id) => asks(id)), /LANE_BAD_FRAME.*a second call 1/s],
    [(asks) => asks(1, table + table), /LANE_FRAME_TOO_LARGE/],
  ];
  for (const [goWrong, said] of wrong) {
    using caller = roughly(await service.offers.offer("rough"));
    goWrong(caller.asks);
    assert.match(await caller.ended, said);
  }
});

test("before the token is known to be good neither side takes a large frame", async () => {
  await using service = offering({});
  const offer = await service.offers.offer("a");
  using caller = roughly({ ...offer, token: new Uint8Array(2_000) });
  assert.match(await caller.ended, /LANE_FRAME_TOO_LARGE/);
  const listening = createServer((socket) => {
    for (const piece of encodeFrame("welcome", 0, new Uint8Array(2_000))) socket.write(piece);
  });
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  const { port } = listening.address() as AddressInfo;
  const address = `tcp:127.0.0.1:${port}`;
  await assert.rejects(connectLane({ address, token: offer.token }, { signal }), {
    reason: "LANE_FRAME_TOO_LARGE",
  });
  listening.close();
});

test("a call ends at its deadline, also when its caller says nothing more", async () => {
  await using service = offering({
    pull: (_request, context) =>
      new Promise((_resolve, reject) => {
        context.signal.addEventListener("abort", () => reject(context.signal.reason as Error));
      }),
  });
  using caller = roughly(await service.offers.offer("rough"));
  caller.asks(1, "", 20);
  while (!caller.text().includes("CANCELLED")) await new Promise(setImmediate);
});

test("whoever does not read its answers is asked for no more calls until it does", async () => {
  let answered = 0;
  const dense = new Uint8Array(1 << 20);
  const pulled = async () => {
    answered += 1;
    return { dense };
  };
  await using service = offering({ pull: pulled }, "unix", { unreadBytesMax: 1_000 });
  using caller = roughly(await service.offers.offer("rough"));
  while (caller.text() === "") await new Promise(setImmediate);
  caller.socket.pause();
  for (let id = 1; id <= 20; id++) {
    caller.asks(id);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.ok(answered < 5, `${answered} answers`);
  caller.socket.resume();
  while (answered < 20) await new Promise(setImmediate);
});
