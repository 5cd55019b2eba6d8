import { existsSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative, resolve } from "node:path";
import { HeddleError, messageOf } from "@heddle/base";
import { describeTable, openDuckdb } from "@heddle/feature-engine";
import { makeFolder } from "../folder.ts";
import { systemError } from "../system-error.ts";
import { shellWord } from "../output/shell-word.ts";
import { definitionsFile, table } from "./definitions-file.ts";
import { type InitChoices, type InitPlan, planInit } from "./plan.ts";

const engineBytesMax = 1 << 30;

export interface Initialised {
  readonly folder: string;
  readonly files: readonly string[];
  readonly plan: InitPlan;
}

/**
 * Looks at a table and writes a project that trains on it. Files that are there already stay.
 *
 * @throws {HeddleError} ALREADY_EXISTS PROJECT_EXISTS, INVALID_ARGUMENT UNREADABLE_TABLE, and those of `planInit`.
 */
export async function initProject(
  folder: string,
  from: string,
  choices: Omit<InitChoices, "name">,
): Promise<Initialised> {
  if (existsSync(join(folder, "heddle.ts"))) {
    throw new HeddleError(
      "ALREADY_EXISTS",
      "PROJECT_EXISTS",
      `${join(folder, "heddle.ts")} is there already; change it, or name another folder`,
    );
  }
  const name = projectName(folder);
  const plan = planInit(await look(from, choices.label), { ...choices, name });
  makeFolder(folder, "the project folder");
  const files = {
    "heddle.ts": definitionsFile(plan),
    ".gitignore": ".heddle/\nnode_modules/\n",
    "package.json": `${JSON.stringify({ name, private: true, type: "module" }, null, 2)}\n`,
    "README.md": readme(plan, relative(folder, from)),
  };
  const written = Object.entries(files).filter(([file]) => !existsSync(join(folder, file)));
  for (const [file, text] of written) writeFileSync(join(folder, file), text);
  return { folder, files: written.map(([file]) => file), plan };
}

async function look(from: string, label: string) {
  await using db = await openDuckdb({
    threads: 2,
    memoryBytesMax: engineBytesMax,
    tempFolder: tmpdir(),
  });
  try {
    if (statSync(from).size === 0) throw new Error("it is empty");
    return await describeTable(db, from, label);
  } catch (error) {
    const expected = error instanceof HeddleError ? error : systemError(error, from);
    if (expected !== undefined) throw expected;
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "UNREADABLE_TABLE",
      `${from} cannot be read as a table (${messageOf(error).split("\n")[0]}); it should be CSV with a header line, or Parquet`,
      { cause: error },
    );
  }
}

function projectName(folder: string): string {
  const name = basename(resolve(folder))
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^[-\d]+|-+$/g, "");
  return name === "" ? "model" : name;
}

function readme(plan: InitPlan, from: string): string {
  return `# ${plan.name}

A model of \`${plan.label}\`, trained by Heddle.

\`\`\`
heddle apply                          # register what heddle.ts defines
heddle ingest ${table(plan)} ${shellWord(from)}
heddle train ${plan.name}
\`\`\`
`;
}
