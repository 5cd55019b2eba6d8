// Generates what is committed though a program makes it: the protobuf code of proto/, with one entry file per service, the
// WebAssembly of libs/kernels and libs/executor, and the contract of the event log.
// `--check` generates elsewhere and says whether what is committed is the same.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const generators = [
  { source: "proto", committed: "libs/proto/src/gen", generate: generateProto },
  assemblyOf("kernels", ["batch", "cache", "numbers", "planes", "table", "texts"]),
  assemblyOf("executor", ["random"]),
];

for (const { source, committed, generate } of generators) {
  const folder = join(root, committed);
  if (!process.argv.includes("--check")) {
    generate(folder);
    continue;
  }
  const fresh = mkdtempSync(join(tmpdir(), "heddle-generate-"));
  generate(fresh);
  const differing = [...new Set([...filesOf(fresh), ...filesOf(folder)])].filter(
    (file) => bytesOf(join(fresh, file)) !== bytesOf(join(folder, file)),
  );
  rmSync(fresh, { recursive: true });
  if (differing.length > 0) {
    console.error(
      `run "npm run generate": these files of ${committed} differ from ${source}:\n${differing.join("\n")}`,
    );
    process.exitCode = 1;
  }
}

// Its `--check` is a step of `npm run lint`.
if (!process.argv.includes("--check")) {
  execFileSync(process.execPath, [join(root, "tools/asyncapi.ts")], { stdio: "inherit" });
}

function generateProto(out: string): void {
  const plugin = { local: "protoc-gen-es", out, opt: ["target=js+dts", "import_extension=js"] };
  const template = JSON.stringify({ version: "v2", clean: true, plugins: [plugin] });
  const path = `${join(root, "node_modules/.bin")}:${process.env["PATH"] ?? ""}`;
  execFileSync("buf", ["generate", "--template", template], {
    cwd: join(root, "proto"),
    env: { ...process.env, PATH: path },
    stdio: "inherit",
  });
  for (const family of ["heddle", "grpc", "google"]) {
    for (const service of readdirSync(join(out, family)).sort()) writeEntry(out, family, service);
  }
}

interface Generator {
  readonly source: string;
  readonly committed: string;
  generate(out: string): void;
}

/** The modules of a library's assembly. */
function assemblyOf(library: string, entries: readonly string[]): Generator {
  const source = `libs/${library}/assembly`;
  const compiler = join(root, "node_modules/assemblyscript/bin/asc.js");
  const flags = ["-O3", "--converge", "--noAssert", "--enable", "simd"];
  const memory = ["--runtime", "stub", "--importMemory"];
  const generate = (out: string): void => {
    for (const entry of entries) {
      const file = ["--outFile", join(out, `${entry}.wasm`)];
      const args = [compiler, `${source}/${entry}.ts`, ...file, ...flags, ...memory];
      execFileSync(process.execPath, args, { cwd: root, stdio: "inherit" });
    }
  };
  return { source, committed: `libs/${library}/src/gen`, generate };
}

function writeEntry(out: string, family: string, service: string): void {
  // The public contracts of google.rpc have no versions.
  const folder = family === "google" ? `${family}/${service}` : `${family}/${service}/v1`;
  const lines = readdirSync(join(out, folder))
    .filter((file) => file.endsWith("_pb.js"))
    .sort()
    .map((file) => `export * from "./${folder}/${file}";\n`)
    .join("");
  const entry = join(out, service.replaceAll("_", "-"));
  writeFileSync(`${entry}.js`, lines);
  writeFileSync(`${entry}.d.ts`, lines);
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

/** A file's bytes as text of one character each; undefined where there is none. */
function bytesOf(file: string): string | undefined {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return undefined;
  }
}
