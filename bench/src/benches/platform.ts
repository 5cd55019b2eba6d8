import { HeddleError } from "@heddle/base";
import type { Bench } from "../main.ts";
import { kafkaClientRows } from "../platform/kafka-clients.ts";

/** Each on real servers of its own, started for it. */
const parts = { "kafka-clients": kafkaClientRows };

export const bench: Bench = {
  about: `production backends on real servers; --part=${Object.keys(parts).join("|")}`,
  run: async (options) => {
    const part = parts[(options.args["part"] ?? "kafka-clients") as keyof typeof parts];
    if (part !== undefined) return await part(options);
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "PART_UNKNOWN",
      `the bench platform has no such part; there are ${Object.keys(parts).join(", ")}`,
    );
  },
};
