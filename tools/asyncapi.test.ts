import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { Ajv } from "ajv";

const root = join(import.meta.dirname, "..");
const document = JSON.parse(
  readFileSync(join(root, "docs/reference/asyncapi.json"), "utf8"),
) as Document;
const require = createRequire(import.meta.url);
const official = require("@asyncapi/specs/schemas/3.0.0-without-$id.json") as object;

interface Document {
  readonly channels: Readonly<Record<string, Channel>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}
interface Channel {
  readonly address: string;
  readonly messages: Readonly<Record<string, { payload: object; headers: object }>>;
}
interface Schema {
  readonly properties: Readonly<Record<string, unknown>>;
}

test("the AsyncAPI document is what the contracts and topics say today", () => {
  const script = join(import.meta.dirname, "asyncapi.ts");
  const { status, stderr } = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
});

test("it is valid AsyncAPI 3, by the specification's own schema", () => {
  const valid = new Ajv({ strict: false, validateFormats: false }).compile(official);
  assert.equal(valid(document), true, JSON.stringify(valid.errors?.slice(0, 3), null, 2));
  assert.equal(valid({ ...document, channels: { x: { address: 1 } } }), false);
});

/** Says whether an event of a topic's type may look so. */
function payloadOf(topic: string, type: string) {
  const payload = document.channels[topic]?.messages[type]?.payload;
  assert.ok(payload, `${type} on ${topic}`);
  return new Ajv({ strict: false }).compile({ ...payload, components: document.components });
}

const [topic, type] = ["heddle.models.v1", "heddle.registry.v1.ModelEvent"] as const;
const digest = "0".repeat(64);
const record = {
  ...{ revision: 1, timeMs: 1, actor: "me", topic, type, requestId: "r" },
  ...{ digestBefore: "", digestAfter: digest, previous: digest },
};

test("an event fits by its JSON names; a future field does not disturb, another type of a field does", () => {
  const fits = payloadOf(topic, type);
  const data = { model: "m", change: "registered", number: 3, dataset: "d" };
  assert.equal(fits({ ...record, data }), true, JSON.stringify(fits.errors));
  assert.equal(fits({ ...record, data: { ...data, later: {} }, later: 1 }), true);
  assert.equal(fits({ ...record, data: { ...data, number: "three" } }), false);
  const { revision: _, ...without } = record;
  assert.equal(fits({ ...without, data }), false);
});

test("names are those of protobuf's JSON, and 64-bit numbers are text, as it writes them", () => {
  const { properties } = document.components.schemas["heddle.evaluator.v1.Metric"] ?? {};
  assert.deepEqual(Object.keys(properties ?? {}).slice(-2), ["versusLive", "versusFallback"]);
  assert.deepEqual(properties?.["count"], {
    description: "Rows (or visits, for ranking) behind it.",
    ...{ type: "string", pattern: "^-?[0-9]+$" },
  });
});
