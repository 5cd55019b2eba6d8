/** CPU and memory that this process has taken so far, all its threads together. */
export function usageOfProcess(): {
  readonly cpuSeconds: number;
  readonly peakMemoryBytes: number;
} {
  const { user, system } = process.cpuUsage();
  // The system counts the peak in KiB.
  const peakMemoryBytes = process.resourceUsage().maxRSS * 1024;
  return { cpuSeconds: (user + system) / 1e6, peakMemoryBytes };
}
