import type { Recipe } from "./cache.ts";
import { runTool } from "./tool.ts";

/**
 * A program of the Go module proxy, compiled here; its name is its package's last element.
 *
 * @param path of its package.
 */
export function goProgram(path: string, version: string): Recipe {
  const program = `${path}@v${version}`;
  return {
    name: path.slice(path.lastIndexOf("/") + 1),
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
