import { existsSync } from "node:fs";
import { built, folderOf, type Recipe } from "./cache.ts";
import { composeRecipe } from "./programs/compose.ts";
import { grpcurlRecipe } from "./programs/grpcurl.ts";
import { jaegerRecipe } from "./programs/jaeger.ts";
import { kafkaRecipe } from "./programs/kafka.ts";
import { mongoRecipe } from "./programs/mongo.ts";
import { prometheusRecipe } from "./programs/prometheus.ts";
import { s3Recipe } from "./programs/s3.ts";
import { Unavailable } from "./unavailable.ts";

/**
 * All that the tests build, by the tool that builds it. The tools work side by side, so at most two builds run at once, beside a download; one tool makes
 * one thing at a time, for neither shares its downloads well.
 */
export const builds: readonly (readonly Recipe[])[] = [
  [kafkaRecipe, mongoRecipe], // Maven
  [s3Recipe, grpcurlRecipe, composeRecipe, jaegerRecipe], // Go
  [prometheusRecipe], // apt
];

const stillMs = 30_000;

/**
 * Builds what is not built yet, and says so. What cannot be built is said and left to the tests that need it: they skip or fail with its
 * reason.
 *
 * @param root of the cache.
 */
export async function buildAll(
  lanes: readonly (readonly Recipe[])[],
  say: (line: string) => void,
  root?: string,
): Promise<void> {
  const lane = async (recipes: readonly Recipe[]): Promise<void> => {
    for (const recipe of recipes) await build(recipe, say, root);
  };
  await Promise.all(lanes.map(lane));
}

async function build(recipe: Recipe, say: (line: string) => void, root?: string): Promise<void> {
  const name = `${recipe.name} ${recipe.version}`;
  if (existsSync(folderOf(recipe, root))) return say(`${name}: built before`);
  const began = performance.now();
  const seconds = (): string => `${Math.round((performance.now() - began) / 1_000)} s`;
  say(`${name}: building …`);
  const still = setInterval(() => say(`${name}: still building, ${seconds()}`), stillMs);
  try {
    await built(recipe, root);
    say(`${name}: built in ${seconds()}`);
  } catch (error) {
    const what = error instanceof Unavailable ? "cannot be had here" : "cannot be built";
    say(`${name}: ${what} (${seconds()}): ${(error as Error).message}`);
  } finally {
    clearInterval(still);
  }
}
