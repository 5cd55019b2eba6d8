import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { systemClock } from "@heddle/base";
import { openLmdbEnvironment } from "@heddle/store";
import { sample, temporaryFolder } from "@heddle/testkit";
import { badRecordsContract, lettersIn } from "../bad-records.contract.ts";
import { saidUntilKilled } from "../fixtures/until-killed.ts";
import { openLocalLog } from "./local-log.ts";
import type { EventLog } from "../port.ts";

const folder = temporaryFolder("bad-records");
after(() => folder[Symbol.dispose]());
const backoff = { initialMs: 1, maxMs: 2, multiplier: 2, jitter: 0 };
const randomCases = sample(Array.from({ length: 300 }), 5).length;

async function open(place: string): Promise<EventLog> {
  const environment = openLmdbEnvironment({ path: folder.file(place), mapBytesMax: 64 << 20 });
  const log = openLocalLog(environment, { clock: systemClock, random: () => 0.5, backoff });
  return {
    ...log,
    [Symbol.asyncDispose]: async () => {
      await log[Symbol.asyncDispose]();
      await environment[Symbol.asyncDispose]();
    },
  };
}

badRecordsContract("local", open, {
  seed: Number(process.env["HEDDLE_SEED"] ?? 30),
  randomCases,
});

test("a death at the dead letter leaves its record tried again and buried once, and none is left out", async () => {
  const program = join(import.meta.dirname, "../fixtures/refuse-a-record.ts");
  const place = folder.file("death");
  const told = await saidUntilKilled(program, place, "eventlog.subscribe.before-offset");
  assert.deepEqual(told, ["a", "bad", "bad", "bad"]);

  await using log = await open("death");
  assert.deepEqual(await lettersIn(log, "t"), []);
  const seen: string[] = [];
  const stop = new AbortController();
  const handle = async ({ key }: { readonly key: string }): Promise<void> => {
    seen.push(key);
    if (key === "c") stop.abort();
    if (key === "bad") throw new Error("no");
  };
  await log.subscribe({ topic: "t", group: "g" }, handle, stop.signal);
  // The offset moves with the letter or not at all: what was handled since the last move comes again.
  assert.deepEqual(seen, ["a", "bad", "bad", "bad", "c"]);
  assert.deepEqual(
    (await lettersIn(log, "t")).map(({ headers }) => headers["dead_letter_offset"]),
    ["1"],
  );
});
