import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { temporaryFolder } from "@heddle/testkit";
import { placesOf } from "./places.ts";
import { startServices } from "./services.ts";

test("a host over documents that were made with another pseudonym key does not start", async () => {
  using folder = temporaryFolder("services");
  const state = folder.path;
  const start = () => startServices({ state, places: placesOf(state, {}), telemetry: {} });
  {
    await using _services = await start();
  }
  writeFileSync(folder.file("pseudonym.key"), "another system's");
  await assert.rejects(start(), {
    reason: "PSEUDONYM_KEY_DIFFERS",
    message: /if the store is another system's, correct its URL/,
  });
});
