import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../../..");

/** The name of every failpoint in the product's sources. */
export function failpoints(): string[] {
  const names = new Set<string>();
  for (const group of ["libs", "apps"]) {
    for (const entry of readdirSync(join(root, group), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/(?<!\.test)\.ts$/.test(entry.name)) continue;
      if (entry.parentPath.includes("node_modules")) continue;
      const text = readFileSync(join(entry.parentPath, entry.name), "utf8");
      for (const [, name] of text.matchAll(/failpoint\("([a-z.-]+)"\)/g)) names.add(name ?? "");
    }
  }
  return [...names]
    .filter((name) => name.split(".").length === 3 && !name.startsWith("service."))
    .sort();
}
