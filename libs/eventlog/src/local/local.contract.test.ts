import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { systemClock } from "@heddle/base";
import { openLmdbEnvironment } from "@heddle/store";
import { eventLogContract } from "../contract.ts";
import { openLocalLog } from "./local-log.ts";

const folder = mkdtempSync(join(tmpdir(), "heddle-log-"));
after(() => rmSync(folder, { recursive: true }));
const backoff = { initialMs: 1, maxMs: 5, multiplier: 2, jitter: 0 };

eventLogContract("local", async (place) => {
  const environment = openLmdbEnvironment({ path: join(folder, place), mapBytesMax: 64 << 20 });
  const log = openLocalLog(environment, { clock: systemClock, random: () => 0.5, backoff });
  return {
    append: log.append,
    deadLetter: log.deadLetter,
    read: log.read,
    subscribe: log.subscribe,
    follow: log.follow,
    topics: log.topics,
    positions: log.positions,
    trim: log.trim,
    [Symbol.asyncDispose]: async () => {
      await log[Symbol.asyncDispose]();
      await environment[Symbol.asyncDispose]();
    },
  };
});
