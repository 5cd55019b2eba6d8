import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Row } from "../row.ts";
import { compared } from "../summarise.ts";

const program = join(import.meta.dirname, "load-clients-main.ts");

/** What instrumentation that patches modules costs the start of a process: its loader hook alone, which patches nothing yet. */
export function loaderHookRows(rounds: number): readonly Row[] {
  const taken: Record<"plain" | "hooked", number[]> = { plain: [], hooked: [] };
  const hook = `data:text/javascript,import{register}from"${hookUrl()}";register()`;
  for (let round = -1; round < rounds; round++) {
    for (const [way, options] of [
      ["plain", []],
      ["hooked", ["--import", hook]],
    ] as const) {
      const said = execFileSync(process.execPath, [...options, program], { encoding: "utf8" });
      // The first round compiles.
      if (round >= 0) taken[way].push(Number(said));
    }
  }
  return [
    compared("start-up with a loader hook", "CPU-s", taken.hooked, {
      name: "without",
      values: taken.plain,
    }),
  ];
}

/** The hook that OpenTelemetry's instrumentations have, in its cheaper form: in the thread of the application. */
function hookUrl(): string {
  const ofTelemetry = createRequire(import.meta.resolve("@heddle/telemetry"));
  const ofSdk = createRequire(ofTelemetry.resolve("@opentelemetry/sdk-node"));
  const ofInstrumentation = createRequire(ofSdk.resolve("@opentelemetry/instrumentation"));
  const main = ofInstrumentation.resolve("import-in-the-middle");
  return pathToFileURL(join(main, "../register-hooks.mjs")).href;
}
