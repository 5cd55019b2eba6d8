import assert from "node:assert/strict";
import { test } from "node:test";
import { isHeddleError } from "@heddle/base";
import { documentBytesMax, type DocumentStore } from "./port.ts";

interface Note {
  readonly n: number;
  readonly text?: string;
}

/**
 * What every document store promises.
 *
 * @param open opens the store of a place: the same place twice shows the same documents.
 */
export function storeContract(
  name: string,
  open: (place: string) => Promise<DocumentStore>,
  options: { readonly skip?: string | false } = {},
): void {
  let places = 0;
  const check = (
    claim: string,
    body: (store: DocumentStore, place: string) => Promise<void>,
  ): void => {
    test(`${name}: ${claim}`, { skip: options.skip ?? false }, async () => {
      const place = `place-${(places += 1)}`;
      await using store = await open(place);
      await body(store, place);
    });
  };

  check("a document reads back with revisions that count from 1", async (store) => {
    const notes = store.collection<Note>("notes");
    assert.equal(await notes.get("a"), undefined);
    assert.equal(await notes.put("a", { n: 1 }, 0), 1);
    assert.equal(await notes.put("a", { n: 2, text: "zwölf ☂" }, 1), 2);
    assert.deepEqual(await notes.get("a"), {
      key: "a",
      value: { n: 2, text: "zwölf ☂" },
      revision: 2,
    });
  });

  check("a write with another revision than the stored one changes nothing", async (store) => {
    const notes = store.collection<Note>("notes");
    await notes.put("a", { n: 1 }, 0);
    for (const expected of [0, 2]) {
      await assert.rejects(notes.put("a", { n: 9 }, expected), conflict);
      await assert.rejects(notes.delete("a", expected), conflict);
    }
    await assert.rejects(notes.put("b", { n: 9 }, 1), conflict);
    assert.equal((await notes.get("a"))?.value.n, 1);
    assert.equal(await notes.get("b"), undefined);
  });

  check("a revision that cannot be is a bug of the caller and no race", async (store) => {
    const notes = store.collection<Note>("notes");
    await notes.put("a", { n: 1 }, 0);
    for (const expected of [-1, 0.5, NaN, 2 ** 53]) {
      await assert.rejects(notes.put("a", { n: 2 }, expected), { name: "AssertionFailed" });
      await assert.rejects(notes.delete("a", expected), { name: "AssertionFailed" });
    }
    assert.equal((await notes.get("a"))?.revision, 1);
  });

  check("of two hundred concurrent increments none is lost", async (store) => {
    const notes = store.collection<Note>("notes");
    await notes.put("count", { n: 0 }, 0);
    const increment = async (): Promise<void> => {
      for (;;) {
        const stored = await notes.get("count");
        assert.ok(stored);
        try {
          await notes.put("count", { n: stored.value.n + 1 }, stored.revision);
          return;
        } catch (error) {
          if (!conflict(error)) throw error;
        }
      }
    };
    await Promise.all(Array.from({ length: 200 }, increment));
    assert.deepEqual(await notes.get("count"), { key: "count", value: { n: 200 }, revision: 201 });
  });

  check("of concurrent creations of one document one succeeds", async (store) => {
    const notes = store.collection<Note>("notes");
    const tries = Array.from({ length: 50 }, (_, n) => notes.put("a", { n }, 0));
    const made = (await Promise.allSettled(tries)).filter((t) => t.status === "fulfilled");
    assert.equal(made.length, 1);
  });

  check("a deleted document is gone and may be created again", async (store) => {
    const notes = store.collection<Note>("notes");
    await notes.put("a", { n: 1 }, 0, { pending: true });
    await notes.delete("a", 1);
    assert.equal(await notes.get("a"), undefined);
    assert.deepEqual(await notes.pending(10), []);
    assert.equal(await notes.put("a", { n: 2 }, 0), 1);
  });

  check("a listing pages through a prefix in key order, every document once", async (store) => {
    const notes = store.collection<Note>("notes");
    const keys = Array.from({ length: 250 }, (_, n) => `run/${String(n).padStart(3, "0")}`);
    await Promise.all(["a", "runs", "z", ...keys].map((key, n) => notes.put(key, { n }, 0)));
    const seen: string[] = [];
    let pages = 0;
    for (let after: string | undefined; ;) {
      const page = await notes.list({ prefix: "run/", ...(after === undefined ? {} : { after }) });
      seen.push(...page.items.map((item) => item.key));
      pages += 1;
      if (page.next === undefined) break;
      after = page.next;
    }
    assert.deepEqual(seen, keys);
    assert.equal(pages, 3);
    assert.equal((await notes.list({ limit: 253 })).items.length, 253);
    assert.equal((await notes.list({ limit: 253 })).next, undefined);
    assert.deepEqual((await notes.list({ after: "zz" })).items, []);
    await assert.rejects(notes.list({ limit: 0 }), { reason: "LIMIT_INVALID" });
    await assert.rejects(notes.list({ limit: 1_001 }), { reason: "LIMIT_INVALID" });
  });

  check("a document is pending until a write without the mark", async (store) => {
    const notes = store.collection<Note>("notes");
    await notes.put("b", { n: 1 }, 0, { pending: true });
    await notes.put("a", { n: 1 }, 0, { pending: true });
    await notes.put("c", { n: 1 }, 0);
    assert.deepEqual(await notes.pending(10), ["a", "b"]);
    assert.deepEqual(await notes.pending(1), ["a"]);
    await assert.rejects(notes.put("a", { n: 2 }, 7), conflict);
    await notes.put("b", { n: 2 }, 1);
    assert.deepEqual(await notes.pending(10), ["a"]);
  });

  check("keys are listed in the order of their UTF-8 bytes", async (store) => {
    const notes = store.collection<Note>("notes");
    const keys = [
      "",
      "\u0000",
      "B",
      "a",
      "a\u0000",
      "a ",
      "b",
      "~",
      "é",
      "☂",
      "\ud7fe",
      "🌂",
      "🌂a",
    ];
    const named = keys.filter((key) => key !== "");
    await Promise.all([...named].reverse().map((key, n) => notes.put(key, { n }, 0)));
    const bytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
    const inOrder = [...named].sort(bytes);
    for (const prefix of keys) {
      const page = await notes.list({ prefix });
      const expected = inOrder.filter((key) => key.startsWith(prefix));
      assert.deepEqual(
        page.items.map((item) => item.key),
        expected,
      );
    }
    const long = "a".repeat(10_000);
    assert.deepEqual(await notes.list({ prefix: long }), { items: [] }, "no key is that long");
    assert.deepEqual(
      (await notes.list({ after: long })).items.length,
      inOrder.filter((key) => key > long).length,
    );
    const behind = await notes.list({ prefix: "a", after: "a\u0000" });
    assert.deepEqual(
      behind.items.map((item) => item.key),
      ["a "],
    );
  });

  check("any JSON comes back as it was, whatever its keys", async (store) => {
    const things = store.collection<object>("things");
    const text = `{"$set":{"a.b":1,"$where":""},"a.b":[null,{"":0},[]],"__proto__":{"x":true},"constructor":1,
      "_id":"x","revision":9,"big":"123456789012345678901234567890","number":1.7976931348623157e308,
      "small":-5e-324,"long":9007199254740993,"text":"\\u0000 \\ud800 ☂ 🌂 \\"","2":2,"1":1}`;
    const value = JSON.parse(text) as object;
    await things.put("a", value, 0);
    await things.put("b", { ...value, gone: undefined }, 0);
    for (const key of ["a", "b"]) {
      const stored = await things.get(key);
      assert.equal(JSON.stringify(stored?.value), JSON.stringify(value));
    }
    assert.equal(JSON.stringify((await things.list()).items[0]?.value), JSON.stringify(value));
  });

  check("collections do not see each other's documents", async (store) => {
    await store.collection<Note>("notes").put("a", { n: 1 }, 0);
    assert.equal(await store.collection<Note>("other").get("a"), undefined);
  });

  check("a document above the limit and a key out of bounds are refused", async (store) => {
    const notes = store.collection<Note>("notes");
    const text = "x".repeat(documentBytesMax);
    const tooLarge = { reason: "DOCUMENT_TOO_LARGE" };
    await assert.rejects(notes.put("a", { n: 1, text }, 0), tooLarge);
    const most = text.slice(JSON.stringify({ n: 1, text: "" }).length);
    await assert.rejects(notes.put("a", { n: 12, text: most }, 0), tooLarge);
    assert.equal(await notes.put("a", { n: 1, text: most }, 0), 1);
    await assert.rejects(notes.put("", { n: 1 }, 0), { reason: "KEY_INVALID" });
    await assert.rejects(notes.get("x".repeat(513)), { reason: "KEY_INVALID" });
    assert.equal(await notes.put("x".repeat(512), { n: 1 }, 0), 1);
  });

  test(
    `${name}: documents outlive the store that wrote them`,
    { skip: options.skip ?? false },
    async () => {
      {
        await using store = await open("lasting");
        await store.collection<Note>("notes").put("a", { n: 1 }, 0, { pending: true });
      }
      await using again = await open("lasting");
      const notes = again.collection<Note>("notes");
      assert.deepEqual(await notes.get("a"), { key: "a", value: { n: 1 }, revision: 1 });
      assert.deepEqual(await notes.pending(1), ["a"]);
    },
  );
}

function conflict(error: unknown): boolean {
  return isHeddleError(error, "REVISION_CONFLICT") && error.code === "ABORTED";
}
