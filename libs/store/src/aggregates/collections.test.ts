import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { systemClock } from "@heddle/base";
import { type ChangeContext, changeContextOf } from "./change-context.ts";
import { collectionsOf, createOnce, listAll } from "./collections.ts";
import { openLmdbEnvironment } from "../lmdb/environment.ts";
import { openLmdbStore } from "../lmdb/lmdb.ts";

const path = mkdtempSync(join(tmpdir(), "heddle-collections-"));
const environment = openLmdbEnvironment({ path, mapBytesMax: 64 << 20 });
after(async () => {
  await environment[Symbol.asyncDispose]();
  rmSync(path, { recursive: true });
});
const store = openLmdbStore(environment, "test");
const open = collectionsOf({ store, clock: systemClock, random: Math.random });

const asked = (requestId: string): ChangeContext => ({ requestId, request: {}, actor: "ana" });
const decision = (name: string) => ({
  state: { name },
  events: [{ topic: "heddle.models.v1", type: "heddle.test.v1.Created", data: {} }],
});

test("what racing requests create once is one, and only one of them is told that it made it", async () => {
  const models = open<{ name: string }>("model", "raced");
  const ids = ["1", "2", "3", "4"];
  const answers = await Promise.all(
    ids.map((id) => createOnce(models, "m", decision(id), asked(id))),
  );
  const [made, ...others] = answers.filter(({ created }) => created);
  assert.deepEqual(others, []);
  for (const { state } of answers) assert.deepEqual(state, made?.state);
});

test("a repeat of the request that created does not count as another creation", async () => {
  const models = open<{ name: string }>("model", "repeated");
  const once = () => createOnce(models, "m", decision("m"), asked("1"));
  assert.deepEqual([(await once()).created, (await once()).created], [true, false]);
});

test("what is there already is not decided anew", async () => {
  const models = open<{ name: string }>("model", "decided");
  let decided = 0;
  const decide = async () => decision(`${++decided}`);
  const first = await createOnce(models, "m", decide, asked("1"));
  const second = await createOnce(models, "m", decide, asked("2"));
  assert.deepEqual([first.state.name, second.state.name, decided], ["1", "1", 1]);
});

test("a listing of all goes on from page to page, keeps the order and the prefix", async () => {
  const models = open<{ name: string }>("model", "listed");
  const ids = ["a/1", "b/1", "b/2", "b/3", "b/4", "b/5", "c/1"];
  for (const id of ids) await models.create(id, decision(id), asked(id));
  const names = async (options: Parameters<typeof listAll>[1]) =>
    (await listAll(models, options)).map(({ id }) => id);
  assert.deepEqual(await names({ limit: 3 }), ids);
  assert.deepEqual(await names({ prefix: "b/", limit: 2 }), ids.slice(1, 6));
  assert.deepEqual(await names({ prefix: "d/" }), []);
});

test("a change without a request id is refused; with one it carries who asks, and the trace if there is one", () => {
  assert.throws(() => changeContextOf({ requestId: "" }, { actor: "ana" }), {
    code: "INVALID_ARGUMENT",
    reason: "REQUEST_ID_MISSING",
  });
  const request = { requestId: "once", version: "v" };
  const call = { actor: "ana", signal: new AbortController().signal };
  assert.deepEqual(changeContextOf(request, call), { requestId: "once", request, actor: "ana" });
  const traced = changeContextOf(request, { ...call, traceparent: "00-1-2-01" });
  assert.equal(traced.traceparent, "00-1-2-01");
});
