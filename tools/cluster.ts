// `npm run cluster`: the example's story on real servers, with each service as a process of its own. Docker is not needed.
//   --small       a small part of the data
//   --keep        leaves all running until Ctrl-C, for commands of one's own
//   --state=PATH  folder of its files, emptied first; .heddle-cluster when absent
import { spawn } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { writeHostFile } from "../apps/cli/src/host/host-file.ts";
import { story } from "../examples/grocer/src/story.ts";
import { Unavailable } from "../test/servers/src/index.ts";
import { startServers } from "./cluster/servers.ts";
import { startServices } from "./cluster/services.ts";

const root = join(import.meta.dirname, "..");

const { values: flags } = parseArgs({
  options: {
    small: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
    state: { type: "string", default: ".heddle-cluster" },
  },
});

async function run(state: string): Promise<number> {
  await using stack = new AsyncDisposableStack();
  rmSync(state, { recursive: true, force: true });
  mkdirSync(state, { recursive: true });
  // The same as npm start's, so that the same events have the same pseudonyms and the models the same bytes.
  const pseudonymKeyFile = join(state, "pseudonym.key");
  writeFileSync(pseudonymKeyFile, story.pseudonymKey, { mode: 0o600 });
  console.log(
    "starting Kafka, MongoDB, S3, Jaeger and Prometheus (built once, which takes minutes) …",
  );
  const servers = await startServers(join(state, "servers"), stack);
  const addresses = await startServices({ state, servers, pseudonymKeyFile }, stack);
  stack.use(
    writeHostFile(state, { pid: process.pid, addresses, objects: servers.settings.objects }),
  );
  for (const line of servers.lines) console.log(`  ${line}`);
  for (const [name, address] of Object.entries(addresses)) {
    console.log(`  ${name.padEnd(18)}  ${address}`);
  }
  const where = `--state ${relative(process.cwd(), state)}`;
  console.log(`  commands reach it by ${where}\n`);
  const demo = ["demo", "grocer", ...(flags.small ? ["--small"] : [])];
  const code = await heddle(demo, state, servers.otlpEndpoint);
  if (flags.keep && code === 0) {
    console.log("\nall stays up until Ctrl-C");
    await stopAsked;
  }
  return code;
}

const stopAsked = new Promise<void>((resolve) => {
  process.once("SIGINT", resolve);
  process.once("SIGTERM", resolve);
});

/** Runs a command of heddle on the cluster; a Ctrl-C ends it. */
async function heddle(args: readonly string[], state: string, otlpEndpoint = ""): Promise<number> {
  const command = [join(root, "apps/cli/src/main.ts"), ...args, "--state", state];
  const env = { ...process.env, HEDDLE_OTLP_ENDPOINT: otlpEndpoint };
  const child = spawn(process.execPath, command, { stdio: "inherit", env });
  void stopAsked.then(() => child.kill("SIGTERM"));
  return await new Promise((resolve) => child.once("exit", (code) => resolve(code ?? 1)));
}

try {
  process.exitCode = await run(resolve(flags.state));
} catch (error) {
  if (!(error instanceof Unavailable)) throw error;
  console.error(`the cluster cannot start here: ${error.message}`);
  process.exitCode = 1;
}
