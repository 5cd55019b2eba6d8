import assert from "node:assert/strict";
import { test } from "node:test";
import { pseudonymOf } from "./pseudonym.ts";

test("a pseudonym is the beginning of the subject's HMAC-SHA-256 under the key", () => {
  // RFC 4231, test case 1.
  const key = "0b".repeat(20);
  assert.equal(pseudonymOf(key, "Hi There", "string"), "b0344c61d8db38535ca8afceaf0bf12b");
  assert.equal(pseudonymOf(key, "Hi There", "int64"), 0xb0344c61d8db3853n >> 1n);
});
