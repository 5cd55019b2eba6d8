import assert from "node:assert/strict";
import { test } from "node:test";
import { placesOf } from "./places.ts";

test("a variable that is nearly one of a host's is refused, and others are not its business", () => {
  for (const [wrong, meant] of [
    ["HEDDLE_STORE_ULR", "HEDDLE_STORE_URL"],
    ["HEDDLE_LOG_URLS", "HEDDLE_LOG_URL"],
    ["HEDDLE_OBJECT_URL", "HEDDLE_OBJECTS_URL"],
  ] as const) {
    assert.throws(() => placesOf("/state", { [wrong]: "x" }), {
      reason: "CONFIG_INVALID",
      message: `the variable ${wrong} is not known; did you mean ${meant}? Correct it, or leave it away`,
    });
  }
  const others = ["HEDDLE_DATA_DIR", "HEDDLE_SEED", "HEDDLE_FAILPOINT", "HEDDLE_TEST_KAFKA_URL"];
  const known = { HEDDLE_LOG_URL: "kafka://127.0.0.1:9092", HEDDLE_TRACE_SHARE: "1" };
  const places = placesOf("/state", {
    ...known,
    ...Object.fromEntries(others.map((o) => [o, "x"])),
  });
  assert.equal(places.logUrl, known.HEDDLE_LOG_URL);
});

test("a value in quotes, or with a blank at an end, is refused without being shown", () => {
  const url = "s3://bucket/hunter2";
  for (const value of [`"${url}"`, `'${url}'`, `${url} `, ` ${url}`, `${url}\r`]) {
    for (const name of ["HEDDLE_STORE_URL", "HEDDLE_OBJECTS_URL", "HEDDLE_LOG_USER"]) {
      assert.throws(() => placesOf("/state", { [name]: value }), {
        reason: "CONFIG_INVALID",
        message: new RegExp(
          `^the value of ${name} begins or ends with a quote or a blank, (?!.*hunter2)`,
        ),
      });
    }
  }
  assert.equal(placesOf("/state", { HEDDLE_OBJECTS_URL: url }).objects, url);
});
