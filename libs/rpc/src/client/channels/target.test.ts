import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTarget } from "./target.ts";

test("an address is one server, a list of replicas, or a name", () => {
  assert.deepEqual(parseTarget("registry:50051"), { kind: "one", address: "registry:50051" });
  assert.deepEqual(parseTarget("registry:50051 "), { kind: "one", address: "registry:50051" });
  assert.deepEqual(parseTarget("a:1, b.example:2,[::1]:3,a:1"), {
    kind: "list",
    addresses: ["a:1", "b.example:2", "[::1]:3"],
  });
  assert.deepEqual(parseTarget("dns:///models.example:50051"), {
    kind: "name",
    host: "models.example",
    port: "50051",
  });
});

test("what is none of them is refused with how it is written", () => {
  for (const address of [
    "a",
    "127.0.0.1",
    "http://a:1",
    "",
    "a:1,b",
    "a:1,",
    "dns:///a",
    "dns:///a:1,b:2",
    "a:1,http://b:2",
  ]) {
    assert.throws(() => parseTarget(address), {
      code: "INVALID_ARGUMENT",
      reason: "ADDRESS_INVALID",
      message: /write host:port, host:port,host:port for its replicas, or dns:\/\/\/host:port/,
    });
  }
});
