// Writes docs/reference/asyncapi.json, the contract of the event log, from proto/ and libs/eventlog/src/topics.ts; a part of
// `npm run generate`. `--check` compares instead.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readContracts } from "./asyncapi/descriptors.ts";
import { asyncApi } from "./asyncapi/document.ts";

const root = join(import.meta.dirname, "..");
const file = join(root, "docs/reference/asyncapi.json");
const text = `${JSON.stringify(asyncApi(readContracts(join(root, "proto"))), null, 2)}\n`;
if (!process.argv.includes("--check")) writeFileSync(file, text);
else if (readFileSync(file, "utf8") !== text) {
  console.error(
    'docs/reference/asyncapi.json is not what the contracts and topics say: run "npm run generate"',
  );
  process.exitCode = 1;
}
