import { nameInvalid } from "./errors.ts";

const nameCharactersMax = 512;
/** Leaves room in a file name of 255 bytes for what the backend puts before a part. */
const partCharactersMax = 180;
const part = /^[a-z0-9._=-]+$/;

/** @throws {HeddleError} INVALID_ARGUMENT OBJECT_NAME_INVALID, which also keeps a name inside its folder. */
export function checkName(name: string): void {
  if (name.length > nameCharactersMax) {
    throw nameInvalid(name, `it has more than ${nameCharactersMax} characters`);
  }
  for (const piece of name.split("/")) {
    if (piece.length > partCharactersMax) {
      throw nameInvalid(name, `a part has more than ${partCharactersMax} characters`);
    }
    if (!part.test(piece)) {
      throw nameInvalid(name, "its parts between slashes are made of a–z, 0–9 and . _ = -");
    }
    if (piece === "." || piece === "..") throw nameInvalid(name, "a part is not . or ..");
  }
}
