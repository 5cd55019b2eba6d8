/** A value that JSON can carry. */
export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * JSON with sorted keys and no white space, so that equal values have equal bytes.
 * Keys whose value is undefined are left out, as JSON.stringify does.
 *
 * @throws {TypeError} for a number that JSON cannot carry (NaN, infinities) and for bigint.
 * @source RFC 8785, JSON Canonicalization Scheme, for strings and finite numbers.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new TypeError(`${value} cannot be written as JSON`);
    return String(value);
  }
  if (typeof value === "boolean") return value ? "true" : "false";
  if (value === null) return "null";
  if (typeof value !== "object") {
    throw new TypeError(`a ${typeof value} cannot be written as JSON`);
  }
  let text = "";
  if (Array.isArray(value)) {
    for (const item of value) text += `${text === "" ? "" : ","}${canonicalJson(item ?? null)}`;
    return `[${text}]`;
  }
  const of = value as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(of).sort()) {
    if (of[key] === undefined) continue;
    text += `${text === "" ? "" : ","}${JSON.stringify(key)}:${canonicalJson(of[key])}`;
  }
  return `{${text}}`;
}
