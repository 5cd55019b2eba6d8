import assert from "node:assert/strict";
import { test } from "node:test";
import { type HeddleError, systemClock } from "@heddle/base";
import { startMongo } from "@heddle/servers";
import { MongoClient, type UpdateFilter } from "mongodb";
import { openMongo } from "./connection.ts";
import { databaseForTests, inDatabase } from "./fixtures/place.ts";
import { startProxy } from "./fixtures/proxy.ts";
import {
  newService,
  notesOn,
  open,
  password,
  quick,
  refusal,
  refused,
} from "./fixtures/refused.ts";
import { pendingIndex } from "./indexes.ts";
import type { MongoDocument } from "./stored.ts";

const database = await databaseForTests();
const { skip, url } = database;

test("a URL without a database, or with options that the driver does not take, is refused without being shown", async () => {
  for (const bad of [
    `mongodb://user:${password}@127.0.0.1:1`,
    `mongodb://user:${password}@/shop`,
    `mongodb://user:${password}@127.0.0.1:1/shop?w=`,
    `mongodb://user:${password}@127.0.0.1:1/shop?madeUpOption=1`,
    `http://user:${password}@127.0.0.1:1/shop`,
  ]) {
    await refused(open(bad), "INVALID_ARGUMENT", "STORE_URL_INVALID");
  }
});

test(
  "refused credentials and missing ones are told apart, and recovery needs no restart",
  { skip },
  async () => {
    await using proxy = await startProxy(url);
    let known = false;
    proxy.decide((command) =>
      command !== "saslStart" || known
        ? "pass"
        : refusal(18, "AuthenticationFailed", "Authentication failed."),
    );
    const withUser = proxy.url.replace("//", `//user:${password}@`);
    await using connection = await open(withUser);
    const notes = notesOn(connection);
    for (const act of [() => notes.get("a"), () => connection.check()]) {
      const error = await refused(act(), "UNAUTHENTICATED", "STORE_CREDENTIALS_REFUSED");
      assert.match(error.message, /127\.0\.0\.1:\d+\/heddle-test.*authSource/);
    }
    known = true;
    await using without = await open(proxy.url);
    const again = notesOn(without);
    proxy.decide((command) =>
      command === "find"
        ? refusal(13, "Unauthorized", "command find requires authentication")
        : "pass",
    );
    await refused(again.get("a"), "UNAUTHENTICATED", "STORE_CREDENTIALS_MISSING");
    proxy.decide(() => "pass");
    assert.equal(await again.get("a"), undefined);
  },
);

test(
  "a URL that is renewed while the store is open is taken when the old one is refused, and nothing else of it",
  { skip },
  async () => {
    await using proxy = await startProxy(url);
    // As when a password ends: whoever says who he is, is refused; the new URL says nothing.
    proxy.decide((command) =>
      command === "saslStart"
        ? refusal(18, "AuthenticationFailed", "Authentication failed.")
        : "pass",
    );
    let now = proxy.url.replace("//", `//user:${password}@`);
    await using connection = await openMongo({
      ...{ url: () => now, clock: systemClock, random: Math.random, limits: quick },
    });
    const notes = notesOn(connection);
    await refused(notes.put("a", { n: 1 }, 0), "UNAUTHENTICATED", "STORE_CREDENTIALS_REFUSED");
    // Another place is another store: what this one holds is not there.
    now = proxy.url.replace("heddle-test", "elsewhere");
    await refused(notes.get("a"), "UNAUTHENTICATED", "STORE_CREDENTIALS_REFUSED");
    await refused(connection.check(), "UNAUTHENTICATED", "STORE_CREDENTIALS_REFUSED");
    now = proxy.url;
    // This one is still told; the next one finds the door open.
    await refused(connection.check(), "UNAUTHENTICATED", "STORE_CREDENTIALS_REFUSED");
    await connection.check();
    await notes.put("a", { n: 1 }, 0);
    assert.equal((await notes.get("a"))?.value.n, 1);
  },
);

for (const [name, fate, code, reason, words] of [
  [
    "rights",
    refusal(
      13,
      "Unauthorized",
      'not authorized on shop to execute command { update: "x", secret: 1 }',
    ),
    "PERMISSION_DENIED",
    "STORE_RIGHTS_MISSING",
    /may not run update there: grant .*readWrite/,
  ],
  [
    "a full disk",
    refusal(14_031, "OutOfDiskSpace", "no space"),
    "RESOURCE_EXHAUSTED",
    "STORE_FULL",
    /free space/,
  ],
  [
    "blocked writes",
    refusal(371, "UserWritesBlocked", "blocked"),
    "FAILED_PRECONDITION",
    "STORE_READ_ONLY",
    /unblock/,
  ],
  [
    "too few members",
    refusal(100, "UnsatisfiableWriteConcern", "no"),
    "FAILED_PRECONDITION",
    "STORE_CONCERN_REFUSED",
    /enough members/,
  ],
  [
    "a primary that stepped down",
    refusal(10_107, "NotWritablePrimary", "not primary"),
    "UNAVAILABLE",
    "STORE_UNAVAILABLE",
    /has a primary/,
  ],
  [
    "an error of its own",
    refusal(8, "UnknownError", "secret document"),
    "UNAVAILABLE",
    "STORE_FAILED",
    /failed \(UnknownError\)/,
  ],
] as const) {
  test(
    `a write that a server refuses for ${name} says so, and works again once it does not`,
    { skip },
    async () => {
      await using proxy = await startProxy(url);
      await using connection = await open(proxy.url, { ...quick, selectMs: 2_000 });
      const notes = notesOn(connection);
      await notes.put("a", { n: 1 }, 0);
      proxy.decide((command) => (command === "update" ? fate : "pass"));
      const error = await refused(notes.put("a", { n: 2 }, 1), code, reason);
      assert.match(error.message, words);
      assert.match(error.message, /127\.0\.0\.1:\d+\/heddle-test/);
      assert.doesNotMatch(error.message, /secret/);
      proxy.decide(() => "pass");
      assert.equal(await notes.put("a", { n: 2 }, 1), 2);
    },
  );
}

test("a secondary and a set without a primary are named as what they are", { skip }, async () => {
  await using proxy = await startProxy(url);
  const me = `127.0.0.1:${proxy.port}`;
  const change = {
    ismaster: false,
    secondary: true,
    setName: "heddle",
    hosts: [me],
    primary: null,
    me,
  };
  proxy.decide((command) => (/^(isMaster|ismaster|hello)$/.test(command) ? { change } : "pass"));
  await using connection = await open(`${proxy.url.split("?")[0]}?replicaSet=heddle`);
  const error = await refused(connection.check(), "UNAVAILABLE", "STORE_UNAVAILABLE");
  assert.match(error.message, new RegExp(`no primary; ${me} is RSSecondary`));
});

test("a standalone server is refused with the remedy", { skip }, async () => {
  await using server = await startMongo("", { standalone: true });
  await using connection = await open(inDatabase(server.url, "shop"));
  const notes = notesOn(connection);
  for (const act of [() => notes.put("a", { n: 1 }, 0), () => connection.check()]) {
    const error = await refused(act(), "FAILED_PRECONDITION", "STORE_NOT_REPLICATED");
    assert.match(error.message, /127\.0\.0\.1:\d+\/shop is a standalone.*--replSet/);
  }
});

test(
  "a missing index is made, or the command that makes it is named; another one is refused",
  { skip },
  async () => {
    await using proxy = await startProxy(url);
    await using client = new MongoClient(url);
    await using connection = await open(proxy.url);
    const denied = refusal(
      13,
      "Unauthorized",
      "not authorized on shop to execute command { createIndexes: 1 }",
    );
    proxy.decide((command) => (command === "createIndexes" ? denied : "pass"));
    const service = newService();
    const notes = notesOn(connection, service);
    const error = await refused(notes.get("a"), "PERMISSION_DENIED", "STORE_RIGHTS_MISSING");
    assert.match(error.message, /createIndex\(\{"pending":1,"_id":1\}, \{"name":"heddle_pending"/);
    await refused(connection.check(), "PERMISSION_DENIED", "STORE_RIGHTS_MISSING");
    // As the error says; then the right is not needed any more.
    const raw = client.db().collection(`${service}.notes`);
    await raw.createIndex(
      { pending: 1, _id: 1 },
      { name: pendingIndex, partialFilterExpression: { pending: true } },
      undefined,
    );
    await notes.put("a", { n: 1 }, 0, { pending: true });
    proxy.decide(() => "pass");
    assert.deepEqual(await notes.pending(10), ["a"]);

    const other = client.db().collection("refusals-differs.notes");
    await other.createIndex({ pending: 1 }, { name: pendingIndex }, undefined);
    await refused(
      notesOn(connection, "refusals-differs").get("a"),
      "FAILED_PRECONDITION",
      "STORE_INDEX_DIFFERS",
    );
  },
);

test("an index that is dropped while the store is open is made again", { skip }, async () => {
  await using proxy = await startProxy(url);
  await using connection = await open(proxy.url);
  const notes = notesOn(connection);
  await notes.put("a", { n: 1 }, 0, { pending: true });
  let made = 0;
  proxy.decide((command, body) => {
    if (command === "createIndexes" || command === "listIndexes") made += 1;
    const hinted = command === "find" && "hint" in body && made === 0;
    return hinted
      ? refusal(2, "BadValue", "hint provided does not correspond to an existing index")
      : "pass";
  });
  await refused(notes.pending(1), "UNAVAILABLE", "STORE_INDEX_MISSING");
  assert.deepEqual(await notes.pending(1), ["a"]);
  assert.ok(made > 0);
});

test(
  "a document that was changed by hand, or is not ours, is reported and not returned",
  { skip },
  async () => {
    await using client = new MongoClient(url);
    await using connection = await open(url);
    const service = newService();
    const notes = notesOn(connection, service);
    const raw = client.db().collection<MongoDocument>(`${service}.notes`);
    const changes: readonly UpdateFilter<MongoDocument>[] = [
      { $set: { value: '{"n":9}' } },
      { $set: { revision: 2 } },
      { $set: { crc32: 0 } },
      { $unset: { value: "" } },
    ];
    for (const change of changes) {
      await raw.deleteMany({});
      await notes.put("a", { n: 1 }, 0);
      await raw.updateOne({ _id: "a" }, change);
      for (const act of [() => notes.get("a"), () => notes.list()]) {
        const error = await refused(act(), "DATA_LOSS", "RECORD_CORRUPT");
        assert.match(error.message, new RegExp(`heddle-test.*${service}\\.notes/a`));
      }
    }
  },
);

test("too many commands, and commands after closing, are refused", { skip }, async () => {
  const connection = await open(url, { commandsMax: 3 });
  const notes = notesOn(connection);
  await notes.get("a");
  const outcomes = await Promise.allSettled(Array.from({ length: 4 }, () => notes.get("a")));
  const refusals = outcomes.filter((outcome) => outcome.status === "rejected");
  assert.deepEqual(
    refusals.map(({ reason }) => (reason as HeddleError).reason),
    ["STORE_BUSY"],
  );
  await connection[Symbol.asyncDispose]();
  await refused(notes.get("a"), "UNAVAILABLE", "STORE_CLOSED");
});
