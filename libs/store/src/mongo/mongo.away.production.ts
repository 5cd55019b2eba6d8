import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { databaseForTests } from "./fixtures/place.ts";
import { startProxy } from "./fixtures/proxy.ts";
import { notesOn, open, password, quick, refused } from "./fixtures/refused.ts";

const { skip, url } = await databaseForTests();

test("a server that is absent, at start or later, is named and found again", { skip }, async () => {
  await using proxy = await startProxy(url);
  await proxy.away();
  // Much more than the driver waits between two looks at a server.
  await using connection = await open(proxy.url, { ...quick, selectMs: 3_000 });
  const notes = notesOn(connection);
  for (const act of [
    () => notes.get("a"),
    () => notes.put("a", { n: 1 }, 0),
    () => connection.check(),
  ]) {
    const error = await refused(act(), "UNAVAILABLE", "STORE_UNAVAILABLE");
    assert.match(
      error.message,
      new RegExp(`127\\.0\\.0\\.1:${proxy.port}.*ECONNREFUSED.*start it`),
    );
  }
  await proxy.back();
  await connection.check();
  await notes.put("a", { n: 1 }, 0);
  await proxy.away();
  await refused(notes.put("a", { n: 2 }, 1), "UNAVAILABLE", "STORE_UNAVAILABLE");
  await refused(connection.check(), "UNAVAILABLE", "STORE_UNAVAILABLE");
  await proxy.back();
  assert.equal(await notes.put("a", { n: 2 }, 1), 2);
});

test(
  "once a server is known to be away, one command searches and the others are told at once",
  { skip },
  async () => {
    await using proxy = await startProxy(url);
    const selectMs = 6_000;
    await using connection = await open(proxy.url, { repeatMs: 5_000, selectMs });
    const notes = notesOn(connection);
    await notes.get("a");
    await proxy.away();
    await refused(notes.get("a"), "UNAVAILABLE", "STORE_UNAVAILABLE");
    const began = performance.now();
    const waits = Array.from({ length: 20 }, async () => {
      await refused(notes.get("a"), "UNAVAILABLE", "STORE_UNAVAILABLE");
      return performance.now() - began;
    });
    const waited = (await Promise.all(waits)).filter((ms) => ms > selectMs / 2);
    assert.equal(waited.length, 1);
    await proxy.back();
    assert.equal(await notes.get("a"), undefined);
  },
);

test(
  "a server that is away for less than a command may wait is not noticed",
  { skip },
  async () => {
    await using proxy = await startProxy(url);
    await using connection = await open(proxy.url, { selectMs: 10_000 });
    const notes = notesOn(connection);
    await notes.put("a", { n: 1 }, 0);
    await proxy.away();
    const written = notes.put("a", { n: 2 }, 1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await proxy.back();
    assert.equal(await written, 2);
  },
);

test("a server that takes connections and says nothing is given up in time, and its password not shown", async () => {
  const silent = createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  await using connection = await open(`mongodb://user:${password}@127.0.0.1:${port}/shop`);
  const error = await refused(connection.check(), "UNAVAILABLE", "STORE_UNAVAILABLE");
  assert.match(error.message, new RegExp(`store 127\\.0\\.0\\.1:${port}/shop does not answer`));
  silent.close();
});

test("a server that falls silent within a command is given up in time", { skip }, async () => {
  await using proxy = await startProxy(url);
  await using connection = await open(proxy.url, { ...quick, silenceMs: 2_000 });
  const notes = notesOn(connection);
  await notes.get("a");
  proxy.decide((command) => (command === "find" ? "silent" : "pass"));
  await refused(notes.get("a"), "UNAVAILABLE", "STORE_UNAVAILABLE");
  proxy.decide(() => "pass");
  assert.equal(await notes.get("a"), undefined);
});
