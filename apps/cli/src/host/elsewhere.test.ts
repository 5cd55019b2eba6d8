import assert from "node:assert/strict";
import { existsSync, rmSync } from "node:fs";
import { test } from "node:test";
import { temporaryFolder } from "@heddle/testkit";
import { checkElsewhere } from "./elsewhere.ts";
import { placesOf } from "./places.ts";

const store = { HEDDLE_STORE_URL: "mongodb://127.0.0.1:1/heddle" };
const log = { HEDDLE_LOG_URL: "kafka://127.0.0.1:1/" };
const objects = { HEDDLE_OBJECTS_URL: "s3://bucket" };

test("what a host had on servers is refused to lie in the folder, until its note is removed", () => {
  using folder = temporaryFolder("elsewhere");
  const check = (environment: Record<string, string>) =>
    checkElsewhere(folder.path, placesOf(folder.path, environment));
  check({});
  assert.equal(existsSync(folder.file("elsewhere")), false);
  check(store);
  check({ ...store, ...log, ...objects });
  // The URL may move to a file; a server that is new is no mistake.
  check({ HEDDLE_STORE_URL_FILE: "/etc/heddle/store-url", ...log, ...objects });
  for (const [environment, message] of [
    [
      { ...log, ...objects },
      /the documents of .* no HEDDLE_STORE_URL or HEDDLE_STORE_URL_FILE says/,
    ],
    [{ ...store, ...objects }, /the events of .* no HEDDLE_LOG_URL says where: set it/],
    [{ ...store, ...log }, /the objects of .* no HEDDLE_OBJECTS_URL says where: set it/],
    [{}, /the documents of/],
  ] as const) {
    assert.throws(() => check(environment), { reason: "STATE_ELSEWHERE", message });
  }
  rmSync(folder.file("elsewhere"));
  check({});
});
