import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { aggregatesContract } from "./aggregates.contract.ts";
import { openLmdbEnvironment } from "../lmdb/environment.ts";
import { openLmdbStore } from "../lmdb/lmdb.ts";

aggregatesContract("lmdb", async () => {
  const path = mkdtempSync(join(tmpdir(), "heddle-aggregates-"));
  const environment = openLmdbEnvironment({ path, mapBytesMax: 64 << 20 });
  const { collection } = openLmdbStore(environment, "registry");
  return {
    collection,
    [Symbol.asyncDispose]: async () => {
      await environment[Symbol.asyncDispose]();
      rmSync(path, { recursive: true });
    },
  };
});
