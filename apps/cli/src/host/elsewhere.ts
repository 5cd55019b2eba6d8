import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Places } from "@heddle/backends";
import { placeVariables } from "@heddle/backends/variables";
import { HeddleError } from "@heddle/base";

/** What a host may have on servers, and the places that name them. */
const kinds = [
  { what: "documents", places: ["storeUrl", "storeUrlFile"] },
  { what: "events", places: ["logUrl"] },
  { what: "objects", places: ["objects"] },
] as const;

/**
 * Notes in a state folder what its hosts have on servers. One that is started without the variable that names them, as happens in a shell
 * beside a service, would find nothing, and keep here what comes. What is moved to a server is noted from then on.
 *
 * @throws {HeddleError} FAILED_PRECONDITION STATE_ELSEWHERE.
 */
export function checkElsewhere(state: string, places: Places): void {
  const file = join(state, "elsewhere");
  const noted = linesOf(file);
  const own = join(state, "objects");
  const there = kinds.filter((kind) =>
    kind.places.some((place) => places[place] !== undefined && places[place] !== own),
  );
  const missing = kinds.find((kind) => noted.includes(kind.what) && !there.includes(kind));
  if (missing !== undefined) {
    const names = missing.places.map((place) => placeVariables[place]).join(" or ");
    throw new HeddleError(
      "FAILED_PRECONDITION",
      "STATE_ELSEWHERE",
      `the ${missing.what} of the state folder ${state} lie elsewhere, and no ${names} says where: set it as the host before had it; if they are to lie in the folder from now on, remove ${file}`,
      { metadata: { state } },
    );
  }
  const lines = there.map(({ what }) => `${what}\n`).join("");
  if (noted.length < there.length) writeFileSync(file, lines);
}

function linesOf(file: string): readonly string[] {
  try {
    return readFileSync(file, "utf8").split("\n").filter(Boolean);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
