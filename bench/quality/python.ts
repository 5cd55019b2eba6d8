import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A machine without a way to the package index must not keep the bench waiting. */
const installMsMax = 240_000;

/** What a bench imports, and the file that says to pip how to get it. */
export interface Needs {
  readonly name: string;
  readonly imports: string;
  readonly requirements: string;
}

const lightgbm: Needs = {
  name: "LightGBM",
  imports: "lightgbm, numpy",
  requirements: join(import.meta.dirname, "requirements.txt"),
};

export interface Python {
  readonly executable: string;
}

/**
 * Finds a Python that has what a bench needs, LightGBM unless it says otherwise: the one that is named, else an environment of the bench's own, made on first use.
 *
 * @returns why there is none, when there is none.
 */
export async function findPython(
  folder: string,
  named: string | undefined,
  say: (text: string) => void,
  needs: Needs = lightgbm,
): Promise<Python | { readonly missing: string }> {
  if (named !== undefined) return withImports(named, needs);
  const executable = join(folder, "bin/python");
  if (!existsSync(executable)) {
    say(`setting up Python with ${needs.name}, once`);
    const made = await run("python3", ["-m", "venv", folder], { msMax: installMsMax });
    const pip = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "-r"];
    const failure =
      made ?? (await run(executable, [...pip, needs.requirements], { msMax: installMsMax }));
    if (failure !== undefined) {
      // Half an environment would be taken for a whole one.
      await rm(folder, { recursive: true, force: true });
      return { missing: `no Python 3.11 or newer with ${needs.name} could be set up (${failure})` };
    }
  }
  return withImports(executable, needs);
}

async function withImports(
  executable: string,
  { imports }: Needs,
): Promise<Python | { readonly missing: string }> {
  const failure = await run(executable, ["-c", `import ${imports}`], { msMax: installMsMax });
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
