// Files that import one another in a circle, types included: whoever reads one of them has to read them all.
import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { importsOf, sources } from "./layers.ts";

/** The circles among the files under `root`, each as the paths along it; an empty list when there is none. */
export function importCircles(root: string): string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  const walk = (file: string, way: readonly string[]): void => {
    const since = way.indexOf(file);
    if (since >= 0) {
      circles.push([...way.slice(since), file].map((each) => relative(root, each)).join(" → "));
    }
    if (since >= 0 || done.has(file)) return;
    for (const imported of localImports(file)) walk(imported, [...way, file]);
    done.add(file);
  };
  for (const folder of ["libs", "apps", "bench", "examples", "test", "tools"]) {
    if (!existsSync(join(root, folder))) continue;
    for (const file of sources(join(root, folder))) walk(file, []);
  }
  return circles;
}

function localImports(file: string): string[] {
  const local = importsOf(file).filter((imported) => /^\.\.?\//.test(imported));
  // AssemblyScript leaves out the ending.
  const named = local.map((imported) => (imported.endsWith(".ts") ? imported : `${imported}.ts`));
  return named.map((name) => join(dirname(file), name)).filter((path) => existsSync(path));
}
