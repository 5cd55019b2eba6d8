import { readFile } from "node:fs/promises";

/** The instruction set that a native library picks its kernels by: it decides the last bits of a product. */
export async function instructionSet(): Promise<string> {
  if (process.arch !== "x64" || process.platform !== "linux") return process.arch;
  const flags = await readFile("/proc/cpuinfo", "utf8");
  const widest = ["avx512f", "avx2", "avx"].find((flag) => new RegExp(`\\b${flag}\\b`).test(flags));
  return `x64 ${widest ?? "sse2"}`;
}

/** A number of threads in an environment's words. */
export function inThreads(threads: number): string {
  return threads === 1 ? "1 thread" : `${threads} threads`;
}
