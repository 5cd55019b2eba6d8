import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { readingInto } from "./accepted.ts";
import { listen } from "./listen.ts";

for (const kind of ["unix", "tcp"] as const) {
  test(`${kind}: what an accepted socket reads lies where its reader said, and it writes and ends as any other`, async () => {
    const memory = new Uint8Array(1_000);
    const read: Uint8Array[] = [];
    const ended = Promise.withResolvers<void>();
    const listening = await listen(kind, (paused) => {
      const socket = readingInto(paused, {
        buffer: memory,
        callback: (bytes, into) => {
          assert.equal(into.buffer, memory.buffer);
          read.push(into.slice(0, bytes));
          return true;
        },
      });
      socket.on("end", () => socket.end("bye"));
      paused.on("close", ended.resolve);
    });
    const [, place = ""] = listening.address.split(/^(?:unix|tcp):/);
    const caller = connect(kind === "unix" ? { path: place } : toPort(place));
    const sent = Buffer.alloc(5_000, "abcdefg");
    caller.end(sent);
    const [answer] = (await once(caller, "data")) as [Buffer];
    assert.equal(answer.toString(), "bye");
    assert.deepEqual(Buffer.concat(read), sent);
    // The server counts its sockets by those that it accepted.
    await ended.promise;
    listening.close();
  });
}

function toPort(place: string): { host: string; port: number } {
  const [host = "", port = ""] = place.split(":");
  return { host, port: Number(port) };
}
