import { run } from "@stricli/core";
import { application } from "./app.ts";
import { openContext } from "./context.ts";
import { exitCodes } from "./exit-codes.ts";

await run(application, process.argv.slice(2), openContext(process));
// The parser's own codes for wrong usage are negative numbers; ours is 2.
const code = Number(process.exitCode ?? 0);
if (code < 0 || code > 200) process.exitCode = exitCodes.usage;
