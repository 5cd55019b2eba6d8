import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { openLmdbEnvironment } from "@heddle/store";
import { onlineContract } from "./contract.ts";
import { openLmdbOnline } from "./lmdb-online.ts";

const folder = mkdtempSync(join(tmpdir(), "heddle-online-"));
after(() => rmSync(folder, { recursive: true }));

onlineContract("lmdb", async (place) => {
  const environment = openLmdbEnvironment({ path: join(folder, place), mapBytesMax: 64 << 20 });
  const online = openLmdbOnline(environment);
  return { ...online, [Symbol.asyncDispose]: () => environment[Symbol.asyncDispose]() };
});
