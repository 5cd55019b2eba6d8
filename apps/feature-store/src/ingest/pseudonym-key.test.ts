import assert from "node:assert/strict";
import { appendFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { messageOf } from "@heddle/base";
import { type DocumentStore, openLmdbEnvironment, openLmdbStore } from "@heddle/store";
import { temporaryFolder } from "@heddle/testkit";
import { openPseudonymKey } from "./pseudonym-key.ts";

async function withStore(
  body: (store: DocumentStore, file: (name: string) => string) => Promise<void>,
): Promise<void> {
  using folder = temporaryFolder("pseudonym-key");
  const path = folder.file("store");
  await using environment = openLmdbEnvironment({ path, mapBytesMax: 16 << 20 });
  await body(openLmdbStore(environment, "feature-store"), folder.file);
}

test("a key that is missing is made, for its owner alone, and is the same from then on", async () => {
  await withStore(async (store, file) => {
    const key = await (await openPseudonymKey(file("key"), store)).hex();
    assert.equal(Buffer.from(key, "hex").toString(), readFileSync(file("key"), "utf8"));
    assert.equal(statSync(file("key")).mode & 0o777, 0o600);
    assert.equal(await (await openPseudonymKey(file("key"), store)).hex(), key);
    writeFileSync(file("empty"), "\n");
    await assert.rejects(openPseudonymKey(file("empty"), store), { reason: "PSEUDONYM_KEY_EMPTY" });
  });
});

test("of two feature stores that each made a key, and begin at once, one is refused; with the other's key it is not", async () => {
  await withStore(async (store, file) => {
    const [one, other] = [file("one"), file("other")];
    const keys = [await openPseudonymKey(one, store), await openPseudonymKey(other, store)];
    const outcomes = await Promise.allSettled(keys.map((key) => key.hex()));
    const refused = outcomes.findIndex(({ status }) => status === "rejected");
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    const differs = { code: "FAILED_PRECONDITION", reason: "PSEUDONYM_KEY_DIFFERS" };
    const named = new RegExp(refused === 0 ? one : other);
    await assert.rejects(keys[refused]?.hex() ?? assert.fail(), { ...differs, message: named });
    const [right, wrong] = refused === 0 ? [other, one] : [one, other];
    writeFileSync(wrong, readFileSync(right));
    await (await openPseudonymKey(wrong, store)).hex();
  });
});

test("a key that is lost is replaced by one whose file says so, and comes back for nobody", async () => {
  await withStore(async (store, file) => {
    const lost = await openPseudonymKey(file("lost"), store);
    await lost.hex();
    const alone = await (await openPseudonymKey(file("new"), store)).hex().catch(messageOf);
    const [line = ""] = /replaces [0-9a-f]{16}/.exec(alone) ?? assert.fail(alone);
    const key = readFileSync(file("new"), "utf8");
    appendFileSync(file("new"), `\n${line}\n`);
    const replaced = await (await openPseudonymKey(file("new"), store)).hex();
    assert.equal(Buffer.from(replaced, "hex").toString(), key);
    const again = await openPseudonymKey(file("lost"), store);
    await assert.rejects(again.hex(), { reason: "PSEUDONYM_KEY_DIFFERS" });
  });
});

test("what the store keeps of the key does not give it away", async () => {
  await withStore(async (store, file) => {
    const key = await (await openPseudonymKey(file("key"), store)).hex();
    const known = await store.collection("pseudonym-key").get("pseudonym-key");
    assert.match(JSON.stringify(known?.value), /^\{"fingerprint":"[0-9a-f]{16}"\}$/);
    const { fingerprint } = known?.value as { fingerprint: string };
    assert.ok(
      !key.includes(fingerprint) && !readFileSync(file("key"), "utf8").includes(fingerprint),
    );
  });
});
