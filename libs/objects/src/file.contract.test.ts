import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { objectsContract } from "./contract.ts";
import { openFileObjects } from "./file-objects.ts";

const folder = mkdtempSync(join(tmpdir(), "heddle-objects-"));
after(() => rmSync(folder, { recursive: true }));

objectsContract("file", (place) => openFileObjects({ path: join(folder, place) }));
