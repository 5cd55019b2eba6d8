import type { S3Location } from "./location.ts";

/**
 * Ends the key of an object. Servers over a file system cannot hold both `a` and `a/b`, which are names like any other here; `a!` and
 * `a/b!` are no such pair, because no name has a `!`. It sorts before all characters of names, so keys are in the order of names.
 */
const end = "!";

export const keyOf = ({ prefix }: S3Location, name: string): string => `${prefix}${name}${end}`;

/** Where an object lies, as requests name it. */
export function targetOf(location: S3Location, name: string): { Bucket: string; Key: string } {
  return { Bucket: location.bucket, Key: keyOf(location, name) };
}

/** Where the digest lies of an object whose digest was not known when its upload began. */
export function digestTargetOf(
  location: S3Location,
  name: string,
  token: string,
): { Bucket: string; Key: string } {
  return { Bucket: location.bucket, Key: `${keyOf(location, name)}${token}` };
}

/** The name behind an object's key; undefined for the key of a digest, and for what others put there. */
export function nameOf({ prefix }: S3Location, key: string): string | undefined {
  return key.startsWith(prefix) && key.endsWith(end) ? key.slice(prefix.length, -1) : undefined;
}

/** Whose digest a key holds. */
export function digestOwnerOf(
  { prefix }: S3Location,
  key: string,
): { readonly name: string; readonly token: string } | undefined {
  const at = key.lastIndexOf(end);
  if (!key.startsWith(prefix) || at < 0 || at === key.length - 1) return undefined;
  return { name: key.slice(prefix.length, at), token: key.slice(at + 1) };
}
