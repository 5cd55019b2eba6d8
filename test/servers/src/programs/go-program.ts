import type { Recipe } from "../cache.ts";
import { runTool } from "../tool.ts";

/**
 * A program of the Go module proxy, compiled here; its name is its package's last element.
 *
 * @param path of its package.
 * @param name for people, where its package's name says too little.
 */
export function goProgram(
  path: string,
  version: string,
  name = path.slice(path.lastIndexOf("/") + 1),
): Recipe {
  const program = `${path}@v${version}`;
  return {
    name,
    version,
    parts: [program],
    build: async (folder) => {
      await runTool("go", ["install", program], {
        env: { GOBIN: folder },
        remedy: "Go 1.26 or newer",
      });
    },
  };
}
