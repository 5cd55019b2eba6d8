import { HeddleError } from "@heddle/base";
import type { z } from "zod";
import { didYouMean } from "./did-you-mean.ts";

/**
 * Checks a value against a schema; every wrong place is named, an unknown key with the nearest known one.
 *
 * @param what names the value in the message, e.g. `model definition grocer-ranking`.
 * @throws {HeddleError} INVALID_ARGUMENT with the given reason.
 */
export function parseStrict<S extends z.ZodType>(
  schema: S,
  value: unknown,
  what: string,
  reason: string,
): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) => explain(issue, schema));
  throw new HeddleError("INVALID_ARGUMENT", reason, `${what}: ${problems.join("; ")}`);
}

function explain(issue: z.core.$ZodIssue, schema: z.ZodType): string[] {
  const place = issue.path.length === 0 ? "" : `${issue.path.map(String).join(".")}: `;
  if (issue.code === "invalid_type" && issue.message.endsWith("received undefined")) {
    return [`${place}it is missing: expected ${issue.expected}`];
  }
  // Of a key of a record, what is wrong with it lies within.
  if (issue.code === "invalid_key") {
    return issue.issues.map(({ message }) => `${place}${lower(message)}`);
  }
  if (issue.code !== "unrecognized_keys") return [`${place}${lower(issue.message)}`];
  const known = keysAt(schema, issue.path);
  return issue.keys.map((key) => {
    const meant = didYouMean(key, known);
    const remedy =
      meant === undefined ? `known keys are ${known.join(", ")}` : `did you mean "${meant}"?`;
    return `${place}unknown key "${key}"; ${remedy}`;
  });
}

const lower = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/** Keys of the object schema at a path: unions give the keys of all their members, recursive schemas those of what they stand for. */
function keysAt(schema: unknown, path: readonly PropertyKey[]): string[] {
  const { def } = (schema as { _zod: { def: Record<string, unknown> } })._zod;
  const getter = def["getter"] as (() => unknown) | undefined;
  const inner = def["innerType"] ?? def["in"] ?? getter?.();
  if (inner !== undefined) return keysAt(inner, path);
  const options = def["options"] as unknown[] | undefined;
  if (options !== undefined) return [...new Set(options.flatMap((option) => keysAt(option, path)))];
  const [head, ...rest] = path;
  const shape = def["shape"] as Record<string, unknown> | undefined;
  if (head === undefined) return Object.keys(shape ?? {});
  const next = shape?.[String(head)] ?? def["element"] ?? def["valueType"];
  return next === undefined ? [] : keysAt(next, rest);
}
