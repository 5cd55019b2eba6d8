import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { codeOf } from "./errors.ts";
import { type FolderMaker, startFolderMaker } from "./files.ts";
import { readReference, type Reference } from "./reference.ts";

/** The three folders of an object folder. */
export interface Folders {
  readonly data: string;
  readonly names: string;
  readonly temporary: string;
  readonly maker: FolderMaker;
}

export function foldersOf(root: string): Folders {
  const at = (name: string): string => join(root, name);
  return {
    data: at("data"),
    names: at("names"),
    temporary: at("temporary"),
    maker: startFolderMaker(root),
  };
}

/** Where a name's reference lies: `#`, which no name has, keeps object `a` apart from folder `a`. */
export function referencePath(folders: Folders, name: string): string {
  return join(folders.names, `${name}#`);
}

export async function lookUp(folders: Folders, name: string): Promise<Reference | undefined> {
  try {
    return readReference(name, await readFile(referencePath(folders, name)));
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}
