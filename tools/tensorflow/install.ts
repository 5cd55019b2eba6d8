import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  createReadStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { addonPackage, type Pins, pythonTag, tensorflowVersion, wheels } from "./pins.ts";
import { unzip } from "./zip.ts";

export interface InstallOptions {
  /** Where it ends up: `<target>/<flavour>`. */
  readonly target: string;
  readonly flavour: "cpu" | "gpu";
  /** A wheel at hand; fetched with pip when absent. */
  readonly wheel?: string;
  say(text: string): void;
}

const run = promisify(execFile);
const progressMs = 5_000;
const libraries = ["tensorflow/libtensorflow_cc.so.2", "tensorflow/libtensorflow_framework.so.2"];
/** Of the wheel's headers, what the addon includes. */
const headers = ["tensorflow/c/", "tensorflow/core/platform/", "tsl/", "xla/tsl/"].map(
  (folder) => `tensorflow/include/${folder}`,
);

/**
 * Builds the addon of @tensorflow/tfjs-node from its own sources against the libtensorflow of a TensorFlow
 * wheel. Nothing is changed before everything is there: the folder appears whole.
 *
 * @throws {Error} that says what is missing on this machine, or which download differs from its digest.
 */
export async function installTensorflow(options: InstallOptions): Promise<void> {
  const platform = `${process.platform}-${process.arch}`;
  const pins = wheels[`${options.flavour} ${platform}`];
  if (pins === undefined) {
    throw new Error(
      `there is no tried recipe for ${platform}, only for ${Object.keys(wheels).join(", ")}; executor onnx runs here`,
    );
  }
  mkdirSync(options.target, { recursive: true });
  const work = mkdtempSync(join(options.target, "building-"));
  try {
    const wheel = options.wheel ?? (await fetchWheel(pins, work, options));
    await checkDigest(wheel, "sha256", pins.wheelSha256, "hex");
    const sources = await fetchSources(work, options);
    options.say("taking the libraries and headers out of the wheel");
    const wanted = (name: string): boolean =>
      libraries.includes(name) || headers.some((folder) => name.startsWith(folder));
    await unzip(wheel, work, wanted);
    const made = await compileAddon(work, sources, options);
    const folder = join(options.target, options.flavour);
    rmSync(folder, { recursive: true, force: true });
    renameSync(made, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** By pip, so that the machine's own index and certificates are used. */
async function fetchWheel(pins: Pins, work: string, { say }: InstallOptions): Promise<string> {
  const folder = join(work, "wheel");
  const what = `${pins.wheel}==${tensorflowVersion}`;
  await withProgress(say, `fetching ${what} (${pins.megabytes} MB) with pip`, () =>
    tool("python3", [
      ...["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"],
      ...["--implementation", "cp", "--python-version", pythonTag],
      ...["--platform", "manylinux2014_x86_64", "--dest", folder, what],
    ]),
  );
  return onlyFileOf(folder);
}

/** By npm, so that the machine's own registry is used; its scripts do not run. */
async function fetchSources(work: string, { say }: InstallOptions): Promise<string> {
  const { name, version, sha512 } = addonPackage;
  say(`fetching ${name}@${version} with npm`);
  const folder = join(work, "npm");
  mkdirSync(folder);
  await tool("npm", ["pack", `${name}@${version}`, "--silent", "--pack-destination", folder]);
  const archive = onlyFileOf(folder);
  await checkDigest(archive, "sha512", sha512.replace("sha512-", ""), "base64");
  await tool("tar", ["-xzf", archive, "-C", work]);
  return join(work, "package");
}

async function compileAddon(
  work: string,
  sources: string,
  { say }: InstallOptions,
): Promise<string> {
  const made = join(work, "made");
  mkdirSync(made);
  for (const library of libraries) {
    renameSync(join(work, library), join(made, basename(library)));
  }
  // The addon asks for the names of the C library; the wheel's library of C++ holds that one whole.
  symlinkSync("libtensorflow_cc.so.2", join(made, "libtensorflow.so"));
  symlinkSync("libtensorflow_framework.so.2", join(made, "libtensorflow_framework.so"));
  const nodeHeaders = join(dirname(dirname(process.execPath)), "include/node");
  say("compiling the addon with g++");
  await tool("g++", [
    ...["-std=c++17", "-O2", "-shared", "-fPIC", "-DNAPI_VERSION=8", "-w"],
    ...[`-I${nodeHeaders}`, `-I${join(work, "tensorflow/include")}`],
    ...["tfjs_backend.cc", "tfjs_binding.cc"].map((file) => join(sources, "binding", file)),
    ...[`-L${made}`, "-ltensorflow", "-ltensorflow_framework", "-Wl,-rpath,$ORIGIN"],
    ...["-o", join(made, "tfjs_binding.node")],
  ]);
  const manifest = { addon: addonPackage.version, tensorflow: tensorflowVersion };
  writeFileSync(join(made, "installed.json"), `${JSON.stringify(manifest)}\n`);
  return made;
}

async function checkDigest(
  file: string,
  algorithm: string,
  want: string,
  encoding: "hex" | "base64",
): Promise<void> {
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(file)) hash.update(chunk as Uint8Array);
  const got = hash.digest(encoding);
  if (got !== want) {
    throw new Error(`${basename(file)} has ${algorithm} ${got}, not ${want}: it is not used`);
  }
}

async function tool(program: string, args: readonly string[]): Promise<void> {
  try {
    await run(program, args);
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    throw new Error(
      code === "ENOENT"
        ? `${program} is not on this machine; install it and run this again`
        : `${program} failed:\n${(stderr ?? "").trim().split("\n").slice(-10).join("\n")}`,
      { cause: error },
    );
  }
}

async function withProgress(
  say: (text: string) => void,
  what: string,
  work: () => Promise<void>,
): Promise<void> {
  say(what);
  const started = Date.now();
  const timer = setInterval(
    () => say(`${what} … ${Math.round((Date.now() - started) / 1_000)} s`),
    progressMs,
  );
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
}

function onlyFileOf(folder: string): string {
  const [file, ...more] = readdirSync(folder);
  if (file === undefined || more.length > 0) throw new Error(`${folder} should hold one file`);
  return join(folder, file);
}
