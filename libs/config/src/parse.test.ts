import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { didYouMean, loadConfig, parseStrict, Secret } from "./index.ts";

const Settings = z.strictObject({
  leaseMs: z.int().positive().default(10_000),
  server: z.strictObject({ address: z.string().default("127.0.0.1:0") }).prefault({}),
});

test("an unknown key is refused with its path and the nearest known key", () => {
  assert.throws(
    () => parseStrict(Settings, { server: { adress: "x" } }, "settings", "CONFIG_INVALID"),
    {
      reason: "CONFIG_INVALID",
      message: 'settings: server: unknown key "adress"; did you mean "address"?',
    },
  );
});

test("a key of a record that may not be is told why", () => {
  const schema = z.record(
    z.string().refine((key) => key !== "weight", "is taken"),
    z.number(),
  );
  assert.throws(() => parseStrict(schema, { weight: 1 }, "view", "BAD"), {
    reason: "BAD",
    message: "view: weight: is taken",
  });
});

test("an unknown key in a member of a union is compared with the keys of all members", () => {
  const Shape = z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("a"), dimension: z.number() }),
    z.strictObject({ kind: z.literal("b"), width: z.number() }),
  ]);
  assert.throws(() => parseStrict(Shape, { kind: "a", dimension: 1, widht: 2 }, "shape", "X"), {
    message: /unknown key "widht"; did you mean "width"\?/,
  });
});

test("an unknown key in a schema that stands for another is compared with that one's keys", () => {
  const Deep = z.strictObject({ of: z.lazy(() => z.strictObject({ factor: z.number() })) });
  assert.throws(() => parseStrict(Deep, { of: { factor: 1, factr: 2 } }, "deep", "X"), {
    message: 'deep: of: unknown key "factr"; did you mean "factor"?',
  });
});

test("flags win over the environment, and the environment over defaults", () => {
  const environment = { HEDDLE_LEASE_MS: "5", HEDDLE_SERVER__ADDRESS: "a:1", PATH: "/bin" };
  assert.deepEqual(loadConfig(Settings, { environment, flags: { leaseMs: "7" } }), {
    leaseMs: 7,
    server: { address: "a:1" },
  });
});

test("a settings file that is not there is named", () => {
  assert.throws(() => loadConfig(Settings, { file: "/nowhere/settings.json" }), {
    reason: "CONFIG_UNREADABLE",
    message: /\/nowhere\/settings\.json/,
  });
});

test("a name far from every known one gets no suggestion", () => {
  assert.equal(didYouMean("zebra", ["address", "leaseMs"]), undefined);
  assert.equal(didYouMean("lesaeMs", ["address", "leaseMs"]), "leaseMs");
  assert.equal(didYouMean("y", ["x", " Y"]), " Y");
  assert.equal(didYouMean("CHURNED", ["customer", "churned"]), "churned");
});

test("a secret shows itself to nobody but reveal", () => {
  const secret = new Secret("hunter2");
  assert.equal(JSON.stringify({ secret }), '{"secret":"[secret]"}');
  assert.equal(`${secret}`, "[secret]");
  assert.equal(secret.reveal(), "hunter2");
});
