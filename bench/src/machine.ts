import { readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, platform, totalmem } from "node:os";
import { join } from "node:path";

/** What a figure was measured on; it stands beside every bench's rows. */
export function describeMachine(): Readonly<Record<string, string | number>> {
  return {
    time: new Date().toISOString(),
    platform: `${platform()}-${arch()}`,
    processor: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    node: process.version,
    ...Object.fromEntries(
      ["onnxruntime-node", "@tensorflow/tfjs-core", "@duckdb/node-api", "lmdb"].map((name) => [
        name,
        versionOf(name),
      ]),
    ),
  };
}

function versionOf(name: string): string {
  const file = join(import.meta.dirname, "../../node_modules", name, "package.json");
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
