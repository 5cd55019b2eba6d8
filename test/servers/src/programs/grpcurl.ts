import { join } from "node:path";
import { built } from "../cache.ts";
import { type TestTool, toolForTests } from "../for-tests.ts";
import { goProgram } from "./go-program.ts";

const version = "1.9.3";

/** The usual command line client of gRPC, by which other teams try our services. */
export const grpcurlRecipe = goProgram("github.com/fullstorydev/grpcurl/cmd/grpcurl", version);

export function grpcurlForTests(): Promise<TestTool> {
  const find = async (): Promise<string> => join(await built(grpcurlRecipe), "grpcurl");
  return toolForTests(`grpcurl ${version}`, find);
}
