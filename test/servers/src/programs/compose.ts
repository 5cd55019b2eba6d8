import { join } from "node:path";
import { built } from "../cache.ts";
import { type TestTool, toolForTests } from "../for-tests.ts";
import { goProgram } from "./go-program.ts";

const version = "2.16.2";

/** Reads a compose file as Docker Compose does, with the library that Docker Compose reads it by. */
export const composeRecipe = goProgram(
  "github.com/compose-spec/compose-go/v2/cmd",
  version,
  "compose-go",
);

/** A program that prints the model of the compose file that it is given, or fails. */
export function composeForTests(): Promise<TestTool> {
  const find = async (): Promise<string> => join(await built(composeRecipe), "cmd");
  return toolForTests(`compose-go ${version}`, find);
}
