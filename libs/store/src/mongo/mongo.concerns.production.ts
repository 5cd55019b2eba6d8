import assert from "node:assert/strict";
import { test } from "node:test";
import { databaseForTests } from "./fixtures/place.ts";
import { startProxy } from "./fixtures/proxy.ts";
import { newService, notesOn, open } from "./fixtures/refused.ts";

const { skip, url } = await databaseForTests();
type Command = Readonly<Record<string, unknown>>;

const writes = /^(insert|update|delete|findAndModify|createIndexes|create)$/;
const reads = /^(find|getMore|aggregate|count)$/;

test(
  "every write says majority and journaled, every read majority, and none is in a session or a transaction",
  { skip },
  async () => {
    await using proxy = await startProxy(url);
    const seen: (readonly [name: string, command: Command])[] = [];
    proxy.decide((name, body) => {
      seen.push([name, body]);
      return "pass";
    });
    await using connection = await open(proxy.url);
    const notes = notesOn(connection, newService());
    await notes.put("a", { n: 1 }, 0, { pending: true });
    await notes.put("a", { n: 2 }, 1, { pending: true });
    await notes.put("b", { n: 1 }, 0);
    await assert.rejects(notes.put("b", { n: 2 }, 7), { reason: "REVISION_CONFLICT" });
    await notes.get("a");
    await notes.list({ limit: 1 });
    assert.deepEqual(await notes.pending(10), ["a"]);
    await notes.delete("b", 1);
    await connection.check();

    const done = new Set(seen.map(([name]) => name).filter((name) => writes.test(name)));
    assert.deepEqual([...done].sort(), ["createIndexes", "delete", "insert", "update"]);
    for (const [name, { writeConcern, readConcern, lsid, txnNumber, ...rest }] of seen) {
      assert.deepEqual(
        [lsid, txnNumber, rest["startTransaction"]],
        [undefined, undefined, undefined],
        name,
      );
      if (writes.test(name)) {
        assert.deepEqual(writeConcern, { w: "majority", j: true, wtimeout: 10_000 }, name);
      }
      if (reads.test(name) && name !== "getMore") {
        assert.match((readConcern as { level: string }).level, /^(majority|linearizable)$/, name);
      }
    }
  },
);
