/**
 * What a job that a test starts gets of this process's environment: where its programs are, and where Node keeps what it compiled.
 * Without the latter, compiling is half of what a short job costs.
 */
export function jobEnvironment(environment = process.env): Record<string, string> {
  const { PATH = "", NODE_COMPILE_CACHE } = environment;
  return { PATH, ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }) };
}
