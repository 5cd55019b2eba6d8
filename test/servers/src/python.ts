import { readFileSync } from "node:fs";
import { join } from "node:path";
import { built } from "./cache.ts";
import { note } from "./for-tests.ts";
import { runTool } from "./tool.ts";
import { Unavailable } from "./unavailable.ts";

/** A Python as the tests of one file use it. */
export interface TestPython {
  /** The program; empty when it is to be skipped. */
  readonly program: string;
  /** Why the tests that need it do not run; `false` when they do. For `node:test`. */
  readonly skip: string | false;
}

const remedy = "Python 3.10 or newer, with venv";
/** How Debian says that venv is not installed, and pip that a package has nothing for this machine. */
const cannot =
  /ensurepip is not available|No module named (venv|ensurepip|pip)|no matching distribution/i;

/** A Python with the packages that a file of requirements names, in an environment that is made once. */
export async function pythonForTests(requirements: string): Promise<TestPython> {
  const wanted = readFileSync(requirements, "utf8");
  try {
    const version = await runTool("python3", ["-c", "import sys; print(sys.version, sys.prefix)"], {
      remedy,
    });
    const folder = await built({
      name: "python",
      version: "venv",
      parts: [wanted, version],
      build: (folder) => setUp(folder, requirements),
    });
    note({ server: "Python", used: `${version.split(" ")[0]} with ${wanted.trim()}` });
    return { program: join(folder, "bin/python"), skip: false };
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    const skip = `no Python with ${wanted.trim()}: ${error.message}`;
    note({ server: "Python", skipped: skip });
    return { program: "", skip };
  }
}

/** Its programs name the folder that it was made in; Python itself finds what lies beside it, wherever that is moved. */
async function setUp(folder: string, requirements: string): Promise<void> {
  try {
    await runTool("python3", ["-m", "venv", folder], { remedy });
    const pip = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", requirements];
    await runTool(join(folder, "bin/python"), pip, { remedy });
  } catch (error) {
    if (error instanceof Error && cannot.test(error.message)) throw new Unavailable(error.message);
    throw error;
  }
}
