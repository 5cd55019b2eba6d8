import { existsSync } from "node:fs";
import { registerHooks } from "node:module";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
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
 * @throws {HeddleError} NOT_FOUND NO_DEFINITION_FILE, INVALID_ARGUMENT DEFINITION_FILE_BROKEN, NO_DEFINITIONS, and those of
 * `packModules`.
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
      `${file} cannot be loaded: ${messageOf(error)}`,
      { cause: error },
    );
  }
  const found = Object.values(exports).flat().filter(isDefinition);
  if (found.length === 0) {
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "NO_DEFINITIONS",
      `${file} exports no definitions: export what defineSource, defineFeatureView, defineModel and definePipeline return`,
    );
  }
  const packed = await packModules(found, dirname(file));
  return kinds.flatMap((kind) => packed.filter((definition) => definition.kind === kind));
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

function isDefinition(value: unknown): value is Definition {
  return typeof value === "object" && value !== null && kinds.includes((value as Definition).kind);
}
