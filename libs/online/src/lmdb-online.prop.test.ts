import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { canonicalJson } from "@heddle/base";
import { openLmdbEnvironment } from "@heddle/store";
import fc from "fast-check";
import { openLmdbOnline } from "./lmdb-online.ts";
import type { OnlineRow } from "./port.ts";

const folder = mkdtempSync(join(tmpdir(), "heddle-online-"));
const environment = openLmdbEnvironment({ path: folder, mapBytesMax: 64 << 20 });
const online = openLmdbOnline(environment);
after(async () => {
  await environment[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const keys = ["a", "b", "c"];
const rows = fc.array(
  fc.record(
    {
      key: fc.constantFrom(...keys),
      eventTimeMs: fc.integer({ min: 0, max: 5 }),
      values: fc.integer({ min: 0, max: 3 }).map((n) => ({ n })),
    },
    { noNullPrototype: true },
  ),
  { minLength: 1, maxLength: 20 },
);
const arrivals = rows.chain((all) =>
  fc.tuple(
    fc.constant(all),
    fc.shuffledSubarray(all, { minLength: all.length }),
    fc.integer({ min: 1, max: 5 }),
  ),
);
const seed = Number(process.env["HEDDLE_SEED"] ?? Date.now() % 2 ** 31);

test(`whatever the order of arrival and the batches, the newest rows stay (HEDDLE_SEED=${seed})`, async () => {
  let runs = 0;
  const property = fc.asyncProperty(arrivals, async ([all, arrived, batch]) => {
    const view = `view-${(runs += 1)}`;
    const puts: Promise<void>[] = [];
    for (let at = 0; at < arrived.length; at += batch) {
      puts.push(online.put(view, arrived.slice(at, at + batch)));
    }
    await Promise.all(puts);
    assert.deepEqual(
      await online.get(view, keys),
      keys.map((key) => newest(all, key)),
    );
  });
  await fc.assert(property, { seed, numRuns: 100 });
});

/** The slow way: sort all rows of the key. */
function newest(all: readonly OnlineRow[], key: string): OnlineRow | undefined {
  const order = (row: OnlineRow): string => `${row.eventTimeMs}${canonicalJson(row.values)}`;
  return all
    .filter((row) => row.key === key)
    .sort((a, b) => (order(a) < order(b) ? -1 : 1))
    .at(-1);
}
