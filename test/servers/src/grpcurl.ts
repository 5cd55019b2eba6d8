import { join } from "node:path";
import { built } from "./cache.ts";
import { goProgram } from "./go-program.ts";

/** The usual command line client of gRPC, by which others try our services. */
export const grpcurlRecipe = goProgram("github.com/fullstorydev/grpcurl/cmd/grpcurl", "1.9.3");

/**
 * Where grpcurl is.
 *
 * @throws {Unavailable} without Go or the network.
 */
export async function grpcurlProgram(): Promise<string> {
  return join(await built(grpcurlRecipe), "grpcurl");
}
