import { readFileSync } from "node:fs";
import { HeddleError, messageOf } from "@heddle/base";
import type { z } from "zod";

export { didYouMean } from "./did-you-mean.ts";
export { parseStrict } from "./parse.ts";
export { Secret } from "./secret.ts";
import { parseStrict } from "./parse.ts";

/** Where settings come from, strongest first: flags, `HEDDLE_*` environment, a JSON file, the schema's defaults. */
export interface SettingSources {
  readonly flags?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** How this program's variables begin, so that those of others are no unknown keys; `HEDDLE_` when absent. */
  readonly prefix?: string;
  readonly file?: string;
}

/**
 * Loads settings. A key `a.b` is the flag `--a.b` and the variable `HEDDLE_A__B`; their text is read
 * as JSON where it is JSON (numbers, booleans), else as text.
 *
 * @throws {HeddleError} INVALID_ARGUMENT CONFIG_UNREADABLE for a file that is not there or not JSON.
 * @throws {HeddleError} INVALID_ARGUMENT CONFIG_INVALID naming each wrong or unknown key.
 */
export function loadConfig<S extends z.ZodType>(schema: S, sources: SettingSources): z.output<S> {
  const settings: Record<string, unknown> =
    sources.file === undefined ? {} : readFile(sources.file);
  const prefix = sources.prefix ?? "HEDDLE_";
  for (const [name, text] of Object.entries(sources.environment ?? {})) {
    if (name.startsWith(prefix) && text !== undefined) {
      set(settings, camel(name.slice(prefix.length)), read(text));
    }
  }
  for (const [name, text] of Object.entries(sources.flags ?? {})) {
    set(settings, name.split("."), read(text));
  }
  return parseStrict(schema, settings, "settings", "CONFIG_INVALID");
}

function readFile(path: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  } catch (error) {
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "CONFIG_UNREADABLE",
      `the settings file ${path} cannot be read as JSON: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/** `SERVER__ADDRESS` → ["server", "address"]; `LEASE_MS` → ["leaseMs"]. */
function camel(name: string): string[] {
  return name
    .split("__")
    .map((part) => part.toLowerCase().replace(/_([a-z0-9])/g, (_, c: string) => c.toUpperCase()));
}

function read(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function set(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [head = "", ...rest] = path;
  if (rest.length === 0) target[head] = value;
  else set((target[head] ??= {}) as Record<string, unknown>, rest, value);
}
