// The layers of CONTRIBUTING.md §1: which project may import which, checked from package.json tags and imports.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const allowed: Readonly<Record<string, readonly string[]>> = {
  base: ["base"],
  sdk: [],
  codec: ["base", "sdk", "codec"],
  platform: ["base", "sdk", "codec", "platform"],
  backend: ["base", "sdk", "codec", "platform", "backend"],
  app: ["base", "sdk", "codec", "platform", "backend"],
  host: ["base", "sdk", "codec", "platform", "backend", "app"],
  test: ["base", "sdk", "codec", "platform", "backend", "app", "host", "test"],
};

interface Project {
  readonly name: string;
  readonly folder: string;
  readonly layer: string;
  readonly dependencies: ReadonlySet<string>;
}

/** Every breach of the layers under `root`, in words; an empty list when there is none. */
export function layerBreaches(root: string): string[] {
  const projects = ["libs", "apps", "test", "examples", "examples/consumers", "."].flatMap(
    (group) => projectsIn(join(root, group), group === "." ? ["bench"] : undefined),
  );
  const byName = new Map(projects.map((project) => [project.name, project]));
  return projects.flatMap((project) =>
    sources(join(project.folder, "src")).flatMap((file) => {
      const place = relative(root, file);
      return importsOf(file).flatMap((imported) => breach(project, imported, byName, place));
    }),
  );
}

function breach(
  project: Project,
  imported: string,
  byName: ReadonlyMap<string, Project>,
  place: string,
): string[] {
  if (imported.startsWith("../../") && /\.\.\/(libs|apps)\//.test(imported)) {
    return [`${place} reaches into another project by path: ${imported}`];
  }
  if (!imported.startsWith("@heddle/")) return [];
  const name = imported.split("/").slice(0, 2).join("/");
  const target = byName.get(name);
  if (target === undefined) return [`${place} imports ${name}, which is no project`];
  if (target === project) return [`${place} imports its own package ${name}: use a relative path`];
  const problems: string[] = [];
  const testOnly = /\.(test|production)\.ts$|\/contract\.ts$|\/fixtures\//.test(place);
  if (!testOnly && !(allowed[project.layer] ?? []).includes(target.layer)) {
    problems.push(`${place} (layer ${project.layer}) imports ${name} (layer ${target.layer})`);
  }
  if (!project.dependencies.has(name)) {
    problems.push(`${place} imports ${name}, which ${project.name} does not declare`);
  }
  return problems;
}

function projectsIn(folder: string, only?: readonly string[]): Project[] {
  const names = only ?? (existsSync(folder) ? readdirSync(folder) : []);
  // A folder of examples, or one in another language, is no project.
  const projects = names.filter((name) => existsSync(join(folder, name, "package.json")));
  return projects.map((name) => {
    const manifest = JSON.parse(readFileSync(join(folder, name, "package.json"), "utf8")) as {
      name: string;
      nx: { tags: string[] };
      dependencies?: Record<string, string>;
      devDependencies?: Record<string, string>;
    };
    const tag = manifest.nx.tags.find((t) => t.startsWith("layer:"));
    return {
      name: manifest.name,
      folder: join(folder, name),
      layer: tag?.slice("layer:".length) ?? "none",
      dependencies: new Set(Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })),
    };
  });
}

/** Files in TypeScript under a folder, but for generated ones. */
export function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes("/gen/"));
}

/** What a file imports, as it names it. */
export function importsOf(file: string): string[] {
  const text = readFileSync(file, "utf8");
  const found = text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"([^"]+)"/g);
  return [...found].map((match) => match[1] ?? "");
}
