import { readFile } from "node:fs/promises";

/** Why this processor multiplies bfloat16 no faster than float32; undefined when it does. */
export async function bfloat16Lack(): Promise<string | undefined> {
  if (process.arch !== "x64" || process.platform !== "linux") {
    return `it is not known whether this processor (${process.arch}) gains by bfloat16`;
  }
  const flags = await readFile("/proc/cpuinfo", "utf8");
  return /\b(avx512_bf16|amx_bf16)\b/.test(flags)
    ? undefined
    : "this processor has neither AVX512-BF16 nor AMX, so bfloat16 would be slower";
}

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
