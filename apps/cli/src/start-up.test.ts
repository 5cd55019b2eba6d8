import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

const main = join(import.meta.dirname, "main.ts");

/** Has a program write the address of each file that it loaded to stream 3 when it ends. */
const lister = `
import { writeSync } from "node:fs";
import { registerHooks } from "node:module";
const loaded = [];
registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
process.on("exit", () => writeSync(3, JSON.stringify(loaded)));
`;

/** The packages that a program takes files of, with our own projects. */
function packagesOf(...args: readonly string[]): readonly string[] {
  const hook = `data:text/javascript,${encodeURIComponent(lister)}`;
  const stdio = ["ignore", "pipe", "pipe", "pipe"] as const;
  const { output, status } = spawnSync(process.execPath, ["--import", hook, ...args], {
    encoding: "utf8",
    stdio: [...stdio],
  });
  assert.equal(status, 0, output[2] ?? "");
  const loaded = JSON.parse(output[3] ?? "") as readonly string[];
  return [...new Set(loaded.flatMap(packageOf))].sort();
}

function packageOf(url: string): string[] {
  const theirs = url.split("/node_modules/").slice(1).at(-1);
  if (theirs !== undefined)
    return [
      theirs
        .split("/")
        .slice(0, theirs.startsWith("@") ? 2 : 1)
        .join("/"),
    ];
  const [, own] = /\/(?:libs|apps)\/([\w-]+)\//.exec(url) ?? [];
  return own === undefined ? [] : [`@heddle/${own}`];
}

test("help needs the parser of commands and nothing of what commands do", () => {
  const ofHelp = ["@heddle/base", "@heddle/cli", "@stricli/core"];
  assert.deepEqual(packagesOf(main, "--help"), ofHelp);
  assert.deepEqual(packagesOf(main, "train", "--help"), ofHelp);
});

test("a command that asks a host needs calls and traces, and no store, engine or model", () => {
  const asks = pathToFileURL(join(import.meta.dirname, "host/connect.ts")).href;
  const packages = packagesOf("--input-type=module", "-e", `await import(${JSON.stringify(asks)})`);
  assert.deepEqual(packages, [
    ...["@bufbuild/protobuf", "@grpc/grpc-js"],
    // Of the backends the names of their variables alone: none of what a backend needs is below.
    ...["backends", "base", "cli", "config", "jobs", "proto", "rpc", "telemetry"].map(
      (own) => `@heddle/${own}`,
    ),
    ...["@js-sdsl/ordered-map"],
    ...["api", "context-async-hooks", "core", "resources", "sdk-metrics"].map(
      (its) => `@opentelemetry/${its}`,
    ),
    ...["sdk-trace", "semantic-conventions"].map((its) => `@opentelemetry/${its}`),
    ...["@pinojs/redact", "atomic-sleep", "on-exit-leak-free", "pino", "pino-std-serializers"],
    ...["quick-format-unescaped", "safe-stable-stringify", "sonic-boom", "thread-stream"],
  ]);
});
