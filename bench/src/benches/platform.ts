import { HeddleError } from "@heddle/base";
import type { Bench } from "../main.ts";
import { objectRows } from "../platform/objects.ts";

/** Each on real servers of its own, started for it. */
const parts = { objects: objectRows };

export const bench: Bench = {
  about: `production backends on real servers; --part=${Object.keys(parts).join("|")}`,
  run: async (options) => {
    const part = parts[(options.args["part"] ?? "objects") as keyof typeof parts];
    if (part !== undefined) return await part(options);
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "PART_UNKNOWN",
      `the bench platform has no such part; there are ${Object.keys(parts).join(", ")}`,
    );
  },
};
