import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { HeddleError, isHeddleError } from "@heddle/base";
import fc from "fast-check";
import { type LmdbEnvironment, openLmdbEnvironment } from "./environment.ts";

/** What a change does to the number under its key, or how it fails. */
type Act = "add" | "remove" | "refuse" | "break";

interface Change {
  readonly act: Act;
  readonly key: string;
}

const changes = fc.array(
  fc.record<Change>({
    act: fc.constantFrom("add", "add", "add", "remove", "refuse", "break"),
    key: fc.constantFrom("a", "b", "c"),
  }),
  { minLength: 1, maxLength: 40 },
);

/** What changes give one after the other, and what they leave. */
function oneByOne(bursts: readonly (readonly Change[])[]) {
  const state = new Map<string, number>();
  const outcomes = bursts.map((burst) =>
    burst.map(({ act, key }): number | string => {
      const found = state.get(key) ?? 0;
      if (act === "refuse") return "REFUSED";
      if (act === "break") return "STORE_FAILED";
      if (act === "add") state.set(key, found + 1);
      else state.delete(key);
      return found;
    }),
  );
  return { outcomes, state: [...state].sort() };
}

const refused = new HeddleError("ABORTED", "REFUSED", "not now");

function write(environment: LmdbEnvironment, { act, key }: Change): Promise<number | string> {
  const numbers = environment.database("numbers");
  const id = Buffer.from(key);
  const change = (): number => {
    const found = numbers.getBinary(id)?.readUInt32LE() ?? 0;
    if (act === "refuse") throw refused;
    const next = Buffer.alloc(4);
    next.writeUInt32LE(found + 1);
    if (act !== "remove") numbers.putSync(id, next);
    else numbers.removeSync(id);
    // After its write: nothing of it may stay, and nothing of its neighbours may go.
    if (act === "break") throw new TypeError("a bug in the middle of a change");
    return found;
  };
  return environment.write(act === "remove" ? 0 : 64, change).catch((error: unknown) => {
    assert.ok(isHeddleError(error), String(error));
    return error.reason;
  });
}

test("changes that share commits, some refused and some broken, come out as one after the other, and survive", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(changes, { minLength: 1, maxLength: 4 }), async (bursts) => {
      const path = mkdtempSync(join(tmpdir(), "heddle-environment-"));
      try {
        const expected = oneByOne(bursts);
        const seen: (number | string)[][] = [];
        {
          await using environment = openLmdbEnvironment({ path, mapBytesMax: 8 << 20 });
          environment.database("numbers");
          for (const burst of bursts) {
            seen.push(await Promise.all(burst.map((change) => write(environment, change))));
          }
        }
        assert.deepEqual(seen, expected.outcomes);
        await using again = openLmdbEnvironment({ path, mapBytesMax: 8 << 20 });
        const kept = [...again.database("numbers").getRange({})];
        assert.deepEqual(
          kept.map(({ key, value }) => [key.toString(), value.readUInt32LE()]),
          expected.state,
        );
      } finally {
        rmSync(path, { recursive: true });
      }
    }),
    { numRuns: 30 },
  );
});
