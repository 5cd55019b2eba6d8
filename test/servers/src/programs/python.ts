import { readFileSync } from "node:fs";
import { join } from "node:path";
import { built } from "../cache.ts";
import { type TestTool, toolForTests } from "../for-tests.ts";
import { runTool } from "../tool.ts";
import { Unavailable } from "../unavailable.ts";

const remedy = "Python 3.10 or newer, with venv";
/** How Debian says that venv is not installed, and pip that a package has nothing for this machine. */
const cannot =
  /ensurepip is not available|No module named (venv|ensurepip|pip)|no matching distribution/i;

/** A Python with the packages that a file of requirements names, in an environment that is made once. */
export function pythonForTests(requirements: string): Promise<TestTool> {
  const wanted = readFileSync(requirements, "utf8");
  const find = async (): Promise<string> => {
    const version = await runTool("python3", ["-c", "import sys; print(sys.version, sys.prefix)"], {
      remedy,
    });
    const folder = await built({
      ...{ name: "python", version: "venv", parts: [wanted, version] },
      build: (folder) => setUp(folder, requirements),
    });
    return join(folder, "bin/python");
  };
  return toolForTests(`Python with ${wanted.trim()}`, find, "that of this machine");
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
