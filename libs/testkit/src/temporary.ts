import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder of its own for one test, removed when it is disposed. */
export interface TemporaryFolder extends Disposable {
  readonly path: string;
  /** A path in it. */
  file(...parts: string[]): string;
}

/** @param purpose stands in the folder's name, for whoever finds one left over. */
export function temporaryFolder(purpose: string): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), `heddle-${purpose}-`));
  return {
    path,
    file: (...parts) => join(path, ...parts),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}
