import { existsSync } from "node:fs";
import { registerHooks } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { HeddleError, messageOf } from "@heddle/base";
import type { Definition } from "@heddle/sdk";
import { packModules } from "./modules.ts";

/** Kinds in the order they are applied: each may name those before it. */
const kinds = ["source", "feature-view", "metric", "model", "pipeline"] as const;

/** The definition file of a project folder: the first of these that is there. */
const fileNames = ["heddle.ts", "heddle.mjs", "heddle.js"];

/**
 * Loads every definition that a project's file exports, alone or in arrays, in order of application.
 *
 * @param place a definition file, or a folder that has one.
 * @throws {HeddleError} NOT_FOUND NO_DEFINITION_FILE, INVALID_ARGUMENT DEFINITION_FILE_BROKEN, NO_DEFINITIONS, DEFINITION_TWICE, and
 * those of `packModules`.
 */
export async function loadProject(place: string): Promise<Definition[]> {
  const file = definitionFile(place);
  offerSdk();
  let exports: Record<string, unknown>;
  try {
    exports = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  } catch (error) {
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "DEFINITION_FILE_BROKEN",
      `${placeOf(error, dirname(file)) ?? file} cannot be loaded: ${messageOf(error).trim()}; correct it, and run this again`,
      { cause: error },
    );
  }
  // A definition may be exported twice, alone and in an array.
  const found = [...new Set(Object.values(exports).flat().filter(isDefinition))];
  if (found.length === 0) {
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "NO_DEFINITIONS",
      `${file} exports no definitions: export what defineSource, defineFeatureView, defineModel and definePipeline return`,
    );
  }
  checkNames(found, file);
  for (const definition of found) checkNumbers(definition, file);
  const packed = await packModules(found, dirname(file));
  return kinds.flatMap((kind) => packed.filter((definition) => definition.kind === kind));
}

/** File and line of the project where an error arose; undefined where its stack names none: a file that is missing has no line. */
function placeOf(error: unknown, folder: string): string | undefined {
  const { stack = "" } = error as Error;
  for (const [, place = "", line] of stack.matchAll(
    /((?:file:\/\/)?\/[^\n()]*?\.[cm]?[jt]s):(\d+)/g,
  )) {
    const path = place.startsWith("file:") ? fileURLToPath(place) : place;
    if (path.startsWith(join(folder, "/"))) return `${path}:${line}`;
  }
  return undefined;
}

/** A project outside this workspace need not install @heddle/sdk to run: ours stands in where none is found. */
function offerSdk(): void {
  const own = pathToFileURL(join(import.meta.dirname, "../../../../libs/sdk/src/index.ts")).href;
  registerHooks({
    resolve: (specifier, context, next) => {
      if (specifier !== "@heddle/sdk") return next(specifier, context);
      try {
        return next(specifier, context);
      } catch {
        return { url: own, shortCircuit: true };
      }
    },
  });
}

function definitionFile(place: string): string {
  const candidates = [place, ...fileNames.map((name) => resolve(place, name))];
  const file = candidates.find((path) => /\.[mc]?[jt]s$/.test(path) && existsSync(path));
  if (file !== undefined) return resolve(file);
  throw new HeddleError(
    "NOT_FOUND",
    "NO_DEFINITION_FILE",
    `no ${fileNames.join(", ")} in ${resolve(place)}: run this in a project folder, name one, or make one with "heddle init NAME"`,
  );
}

/** Of two definitions with one name the later would hold, and nobody say so. */
function checkNames(found: readonly Definition[], file: string): void {
  const seen = new Set<string>();
  for (const definition of found) {
    const name = `${definition.kind} ${appliedName(definition)}`;
    if (seen.has(name)) {
      throw new HeddleError(
        "INVALID_ARGUMENT",
        "DEFINITION_TWICE",
        `${file} exports two definitions of ${name}: give one of them another name, or leave it out`,
      );
    }
    seen.add(name);
  }
}

/** How a definition is told from others of its kind: views are kept by version. */
export const appliedName = (definition: Definition): string =>
  definition.kind === "feature-view" ? `${definition.name}@${definition.version}` : definition.name;

/** JSON has no NaN and no infinity, and would keep them as null. */
function checkNumbers(definition: Definition, file: string): void {
  const visit = (value: unknown, path: readonly string[]): void => {
    if (typeof value === "number" && !Number.isFinite(value)) {
      throw new HeddleError(
        "INVALID_ARGUMENT",
        "DEFINITION_INVALID",
        `${definition.kind} ${definition.name} in ${file}: ${path.join(".")} is ${value}; write a finite number`,
      );
    }
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) visit(inner, [...path, key]);
  };
  visit(definition, []);
}

function isDefinition(value: unknown): value is Definition {
  return typeof value === "object" && value !== null && kinds.includes((value as Definition).kind);
}
