import { run } from "@stricli/core";
import { application } from "./app.ts";
import { openContext } from "./context.ts";
import { exitCodes } from "./exit-codes.ts";
import { folded } from "./output/folded.ts";

// Whoever read what we print has had enough, as `head` has.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit();
  });
}
const args = process.argv.slice(2);
const context = openContext(process);
if (isHelp(args)) Object.assign(context.process, { stdout: foldingTo(process.stdout) });
await run(application, args, context);
// The parser's own codes for wrong usage are negative numbers; ours is 2.
const code = Number(process.exitCode ?? 0);
if (code < 0 || code > 200) process.exitCode = exitCodes.usage;

/** Whether help is what will be written: without a command it is. */
function isHelp(words: readonly string[]): boolean {
  return words.length === 0 || words.includes("--help") || words.includes("-h");
}

function foldingTo(stdout: NodeJS.WriteStream) {
  return { write: (text: string) => stdout.write(folded(text)) };
}
