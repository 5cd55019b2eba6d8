/** Extensions by which numeric libraries choose their kernels, and so the order in which they add. */
const decisive = ["sse4_2", "avx2", "fma", "avx512f", "avx512_vnni", "asimd", "sve", "bf16"];

/**
 * The processor as far as it decides bits: architecture and those vector extensions it has.
 *
 * @param cpuinfo what the system says of its processors (`/proc/cpuinfo`); where it says nothing, their model.
 */
export function instructionSet(arch: string, cpuinfo: string): string {
  const [, listed] = /^(?:flags|Features)\s*:\s*(.+)$/m.exec(cpuinfo) ?? [];
  if (listed === undefined) return `${arch} ${cpuinfo.trim()}`.trim();
  const flags = new Set(listed.split(" "));
  return [arch, ...decisive.filter((flag) => flags.has(flag))].join(" ");
}
