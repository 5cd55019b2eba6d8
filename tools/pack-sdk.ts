// Packs @heddle/sdk for people's own projects: Node strips no types under node_modules, so it ships JavaScript with declarations.
//   node tools/pack-sdk.ts [folder]     prints the path of the tarball
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = join(import.meta.dirname, "..");
const sdk = join(root, "libs/sdk");

/** @returns the path of the tarball, in `folder`. */
export function packSdk(folder: string): string {
  const stage = mkdtempSync(join(tmpdir(), "heddle-sdk-"));
  try {
    compile(join(stage, "dist"));
    const manifest = JSON.parse(readFileSync(join(sdk, "package.json"), "utf8")) as object;
    const published = {
      ...manifest,
      nx: undefined,
      exports: {
        ".": { types: "./dist/index.d.ts", default: "./dist/index.js" },
        "./architecture": {
          types: "./dist/architecture.d.ts",
          default: "./dist/architecture.js",
        },
      },
      files: ["dist"],
    };
    writeFileSync(join(stage, "package.json"), JSON.stringify(published, null, 2));
    cpSync(join(sdk, "README.md"), join(stage, "README.md"));
    cpSync(join(root, "LICENSE"), join(stage, "LICENSE"));
    mkdirSync(folder, { recursive: true });
    const args = ["pack", "--json", "--pack-destination", resolve(folder)];
    const printed = execFileSync("npm", args, { cwd: stage, encoding: "utf8" });
    return join(resolve(folder), tarballOf(printed));
  } finally {
    rmSync(stage, { recursive: true });
  }
}

function compile(out: string): void {
  const options = {
    extends: join(root, "tsconfig.base.json"),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      rewriteRelativeImportExtensions: true,
      rootDir: join(sdk, "src"),
      outDir: out,
      types: [],
    },
    include: [join(sdk, "src")],
    exclude: [join(sdk, "src/**/*.test.ts")],
  };
  const project = join(out, "..", "tsconfig.json");
  writeFileSync(project, JSON.stringify(options));
  execFileSync(join(root, "node_modules/.bin/tsc"), ["-p", project], { stdio: "inherit" });
  rmSync(project);
}

/** npm's JSON is a list in some versions and an object by package name in others. */
function tarballOf(printed: string): string {
  const parsed = JSON.parse(printed) as object;
  const [first] = Object.values(parsed) as { filename: string }[];
  if (first === undefined) throw new Error(`npm pack said nothing of a tarball: ${printed}`);
  return first.filename;
}

if (import.meta.main) console.log(packSdk(process.argv[2] ?? "."));
