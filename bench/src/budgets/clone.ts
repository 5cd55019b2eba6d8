import { execFileSync } from "node:child_process";
import { delimiter, join } from "node:path";
import { HeddleError } from "@heddle/base";
import type { BenchOptions } from "../main.ts";

/** This checkout. */
export const root = join(import.meta.dirname, "../../..");

const git = (...args: readonly string[]): string =>
  execFileSync("git", ["-C", root, ...args], { encoding: "utf8" });

/**
 * Clones the commit that is checked out here, as a newcomer has it: nothing installed, no state. npm's own cache is as it is.
 *
 * @returns its folder, in `parent`.
 * @throws {HeddleError} FAILED_PRECONDITION NO_REPOSITORY where this is no clone itself.
 */
export function cloneInto(parent: string, say: (text: string) => void): string {
  const clone = join(parent, "heddle");
  try {
    if (git("status", "--porcelain") !== "") {
      say("what is not committed is not in the clone that is measured");
    }
    execFileSync("git", ["clone", "--quiet", "--no-hardlinks", root, clone]);
  } catch (cause) {
    const what = `${root} cannot be cloned: run this bench in a clone of the repository, with git installed`;
    throw new HeddleError("FAILED_PRECONDITION", "NO_REPOSITORY", what, { cause });
  }
  return clone;
}

/** What npm, Node and Heddle hand on to those that they start, and a newcomer's shell does not have. */
const handedOn =
  /^(HEDDLE_.*|NODE_(OPTIONS|COMPILE_CACHE|TEST_CONTEXT)|INIT_CWD|npm_(package|lifecycle|command|execpath|node_execpath|config_local_prefix).*)$/;

/** The environment of a newcomer's shell on this machine. */
export function newcomers(environment: BenchOptions["environment"]): BenchOptions["environment"] {
  const kept = Object.entries(environment).filter(([name]) => !handedOn.test(name));
  const path = (environment["PATH"] ?? "")
    .split(delimiter)
    .filter((folder) => !folder.includes("node_modules"))
    .join(delimiter);
  return { ...Object.fromEntries(kept), PATH: path, NO_COLOR: "1" };
}
