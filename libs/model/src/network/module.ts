import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { contentName, HeddleError, messageOf } from "@heddle/base";
import type { ModuleSources } from "@heddle/sdk";
import type { ArchitectureCode } from "@heddle/sdk/architecture";
import { loadFromTexts } from "./module-loader.ts";

/** A module is part of its definition, which is a document and travels in messages. */
export const moduleBytesMax = 256 << 10;
/** The module itself and all that it imports. */
export const moduleFilesMax = 64;

let packed = 0;

/**
 * Reads a model module and all that it imports, as it will be kept: the texts as they are written. The module is run once,
 * because running it says what it imports.
 *
 * @param file the file that exports `architecture`; what it imports lies in its folder or below.
 * @throws {HeddleError} INVALID_ARGUMENT MODULE_BROKEN when it does not load, MODULE_TOO_LARGE above 256 KiB or 64 files.
 */
export function packModule(model: string, file: string): ModuleSources {
  const folder = dirname(file);
  const entry = basename(file);
  const files: Record<string, string> = {};
  const read = (path: string): string | undefined => {
    try {
      return (files[path] ??= readFileSync(join(folder, path), "utf8"));
    } catch {
      return undefined;
    }
  };
  // The file may change while this process lives, so each time has a key of its own.
  const exports = tryToLoad(model, file, () => loadFromTexts(`pack-${++packed}`, entry, read));
  architectureIn(model, file, exports);
  const bytes = Object.values(files).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const count = Object.keys(files).length;
  if (bytes > moduleBytesMax || count > moduleFilesMax) {
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "MODULE_TOO_LARGE",
      `the module ${file} of model ${model} has ${count} files of ${bytes} bytes; at most ${moduleFilesMax} of ${moduleBytesMax} bytes can be kept with a definition: import less`,
    );
  }
  return { entry, files };
}

/** The architecture that a definition's module exports; the same texts are loaded once a thread. */
export function loadModule(model: string, module: string | ModuleSources): ArchitectureCode {
  if (typeof module === "string") {
    throw broken(model, module, "it is named by its path; heddle apply puts its sources in there");
  }
  const { entry, files } = module;
  const load = () => loadFromTexts(contentName(module), entry, (path) => files[path]);
  return architectureIn(model, entry, tryToLoad(model, entry, load));
}

function tryToLoad<T>(model: string, file: string, load: () => T): T {
  try {
    return load();
  } catch (error) {
    throw broken(model, file, placeOf(error) + messageOf(error), error);
  }
}

/** `two-towers.ts:12: `, when the error says where. */
function placeOf(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const [, place] = /\/heddle-module\/[^/]+\/([^\s)]+?:\d+)/.exec(stack) ?? [];
  return place === undefined ? "" : `${place}: `;
}

function architectureIn(
  model: string,
  file: string,
  exports: Readonly<Record<string, unknown>>,
): ArchitectureCode {
  const found = exports["architecture"] as Partial<ArchitectureCode> | undefined;
  if (typeof found?.parameters === "function" && typeof found.build === "function") {
    return found as ArchitectureCode;
  }
  throw broken(
    model,
    file,
    "it exports no architecture: write export const architecture = defineArchitecture({ parameters, build })",
  );
}

function broken(model: string, file: string, why: string, cause?: unknown): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "MODULE_BROKEN",
    `the module ${file} of model ${model} cannot be used: ${why}`,
    { metadata: { model }, cause },
  );
}
