// Generates the protobuf code of proto/ into libs/proto/src/gen, with one entry file per service.
// `--check` generates elsewhere and says whether the committed code is the same.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const committed = join(root, "libs/proto/src/gen");

if (process.argv.includes("--check")) {
  const fresh = mkdtempSync(join(tmpdir(), "heddle-generate-"));
  generate(fresh);
  const differing = [...new Set([...filesOf(fresh), ...filesOf(committed)])].filter(
    (file) => textOf(join(fresh, file)) !== textOf(join(committed, file)),
  );
  rmSync(fresh, { recursive: true });
  if (differing.length > 0) {
    console.error(
      `run "npm run generate": these files differ from proto/:\n${differing.join("\n")}`,
    );
    process.exitCode = 1;
  }
} else {
  generate(committed);
}

function generate(out: string): void {
  const plugin = { local: "protoc-gen-es", out, opt: ["target=js+dts", "import_extension=js"] };
  const template = JSON.stringify({ version: "v2", clean: true, plugins: [plugin] });
  const path = `${join(root, "node_modules/.bin")}:${process.env["PATH"] ?? ""}`;
  execFileSync("buf", ["generate", "--template", template], {
    cwd: join(root, "proto"),
    env: { ...process.env, PATH: path },
    stdio: "inherit",
  });
  for (const family of ["heddle", "grpc"]) {
    for (const service of readdirSync(join(out, family)).sort()) writeEntry(out, family, service);
  }
}

function writeEntry(out: string, family: string, service: string): void {
  const lines = readdirSync(join(out, family, service, "v1"))
    .filter((file) => file.endsWith("_pb.js"))
    .sort()
    .map((file) => `export * from "./${family}/${service}/v1/${file}";\n`)
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

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
