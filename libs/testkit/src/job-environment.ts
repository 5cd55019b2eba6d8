import { passedOn } from "@heddle/jobs";

/** Where a job's programs are, where Node keeps what it compiled, and what whoever profiles asks of Node. */
const names = ["PATH", "NODE_COMPILE_CACHE", "NODE_OPTIONS"];

/**
 * What a job that a test or a bench starts gets of this process's environment. Without what Node compiled before, compiling is half of
 * what a short job costs.
 */
export function jobEnvironment(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string> {
  return passedOn(names, environment);
}
