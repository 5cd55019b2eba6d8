import { createHash } from "node:crypto";
import { canonicalJson } from "./json.ts";

/** SHA-256 of bytes or text, as 64 lower-case hexadecimal digits. */
export function sha256(...parts: (Uint8Array | string)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/** The content name of a plain value: SHA-256 of its canonical JSON. */
export function contentName(value: unknown): string {
  return sha256(canonicalJson(value));
}

/** A content name as people read it: its first 12 digits. */
export function shortName(name: string): string {
  return name.slice(0, 12);
}
