import { turnsDuring } from "@heddle/testkit";
import assert from "node:assert/strict";
import { test } from "node:test";
import { tinyModel } from "../fixtures/tiny.ts";
import { widthsOf } from "../network/architecture.ts";
import { createLookup } from "./lookup.ts";

test("others on the thread have their turn while a table is indexed", async () => {
  const ids = BigUint64Array.from({ length: 200_000 }, (_, i) => BigInt(i) << 20n);
  const widths = widthsOf(tinyModel());
  const values = new Float32Array(ids.length * (1 + widths.dimension));
  const turns = await turnsDuring(() => createLookup({ ids, values }, widths));
  assert.ok(turns >= 40, `${turns} turns for ${ids.length} rows`);
});
