import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { storeContract } from "../contract.ts";
import { openLmdbEnvironment } from "./environment.ts";
import { openLmdbStore } from "./lmdb.ts";

const folder = mkdtempSync(join(tmpdir(), "heddle-store-"));
after(() => rmSync(folder, { recursive: true }));

storeContract("lmdb", async (place) => {
  const environment = openLmdbEnvironment({ path: join(folder, place), mapBytesMax: 64 << 20 });
  const store = openLmdbStore(environment, "test");
  return {
    collection: store.collection,
    [Symbol.asyncDispose]: () => environment[Symbol.asyncDispose](),
  };
});
