// onnxruntime-node brings its library for every platform that it knows: 240 MB that this machine cannot load, a third of what is installed.
//   node tools/foreign-binaries.mjs     removes them, where packages were installed without tools/launch.mjs
// Plain JavaScript for Node 20: it runs before anything of ours can.
import { existsSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Removes them from a `node_modules`: all of `bin/<interface>/<platform>/<arch>` that is not of this machine. */
export function removeForeignBinaries(modules, { platform, arch } = process) {
  const binaries = join(modules, "onnxruntime-node", "bin");
  if (!existsSync(binaries)) return;
  for (const version of foldersIn(binaries)) {
    for (const system of foldersIn(version)) {
      for (const folder of foldersIn(system)) {
        if (folder !== join(version, platform, arch)) rmSync(folder, { recursive: true });
      }
    }
  }
}

function foldersIn(folder) {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  removeForeignBinaries(join(dirname(dirname(process.argv[1])), "node_modules"));
}
