import { spawn } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";

const requirementsFolder = join(import.meta.dirname, "../python");
const out = join(import.meta.dirname, "../out");

/** PyTorch's wheel for Linux brings 5 GB of libraries; pip itself gives up soon where there is no way to the package index. */
const installMsMax = 900_000;
/** Imports of a cold disk. */
const importMsMax = 120_000;

/** What a bench's Python must have: how people call it, what is imported, and where the versions stand. */
const libraries = {
  lightgbm: { name: "LightGBM", imports: "lightgbm, numpy", folder: ".venv" },
  tensorflow: { name: "TensorFlow", imports: "tensorflow, tf_keras", folder: ".venv-tensorflow" },
  torch: { name: "PyTorch", imports: "torch, numpy", folder: ".venv-torch" },
} as const;
export type Library = keyof typeof libraries;

export interface Python {
  readonly executable: string;
}

/** Why there is none. */
export interface Missing {
  readonly missing: string;
}

/**
 * Finds a Python that has a library: the one that is named, else an environment of the benches' own in `bench/out`, made on first
 * use and again when the versions in `bench/python/requirements-<library>.txt` change.
 */
export async function findPython(
  library: Library,
  named: string | undefined,
  say: (text: string) => void,
): Promise<Python | Missing> {
  const { name, imports } = libraries[library];
  if (named !== undefined) return withImports(named, imports);
  const folder = join(out, libraries[library].folder);
  const executable = join(folder, "bin/python");
  const requirements = join(requirementsFolder, `requirements-${library}.txt`);
  const wanted = await readFile(requirements, "utf8");
  const made = join(folder, "requirements.txt");
  if ((await readFile(made, "utf8").catch(() => "")) !== wanted) {
    say(`setting up Python with ${name}, once`);
    const failure = await setUp(folder, executable, requirements);
    if (failure !== undefined) {
      // Half an environment would be taken for a whole one.
      await rm(folder, { recursive: true, force: true });
      return { missing: `no Python 3.11 or newer with ${name} could be set up (${failure})` };
    }
    await writeFile(made, wanted);
  }
  return withImports(executable, imports);
}

async function setUp(
  folder: string,
  executable: string,
  requirements: string,
): Promise<string | undefined> {
  const failure = await run("python3", ["-m", "venv", folder], { msMax: installMsMax });
  const pip = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", requirements];
  return failure ?? run(executable, pip, { msMax: installMsMax });
}

async function withImports(executable: string, imports: string): Promise<Python | Missing> {
  const failure = await run(executable, ["-c", `import ${imports}`], { msMax: importMsMax });
  return failure === undefined ? { executable } : { missing: `${executable}: ${failure}` };
}

/**
 * Runs a program to its end.
 *
 * @returns what went wrong, in a line; undefined when nothing did.
 */
export async function run(
  program: string,
  args: readonly string[],
  { msMax, say }: { readonly msMax: number; readonly say?: (text: string) => void },
): Promise<string | undefined> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], timeout: msMax });
  let lastLine = "";
  createInterface({ input: child.stderr }).on("line", (line) => (lastLine = line || lastLine));
  createInterface({ input: child.stdout }).on("line", (line) => say?.(line));
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => {
      if (code === 0) resolve(undefined);
      else resolve(lastLine || `it ended with ${signal ?? `code ${code}`}`);
    });
  });
}
