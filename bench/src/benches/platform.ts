import { HeddleError } from "@heddle/base";
import type { Bench } from "../main.ts";
import { kafkaClientRows } from "../platform/kafka-clients.ts";
import { ingestRows } from "../platform/ingest.ts";
import { objectRows } from "../platform/objects.ts";
import { storeRows } from "../platform/store.ts";
import { tracingRows } from "../platform/tracing.ts";
import type { Row } from "../row.ts";

/** Each on real servers of its own, started for it; tracing needs none. */
const parts = {
  ingest: ingestRows,
  "kafka-clients": kafkaClientRows,
  objects: objectRows,
  store: storeRows,
  tracing: tracingRows,
};
type Part = keyof typeof parts;

export const bench: Bench = {
  about: `production backends on real servers; all, or --part=${Object.keys(parts).join("|")}`,
  run: async (options) => {
    const { part } = options.args;
    const known = Object.keys(parts) as Part[];
    const asked = known.filter((name) => part === undefined || name === part);
    if (asked.length === 0) {
      throw new HeddleError(
        "INVALID_ARGUMENT",
        "PART_UNKNOWN",
        `the bench platform has no such part; there are ${known.join(", ")}`,
      );
    }
    const rows: Row[] = [];
    for (const name of asked) rows.push(...(await parts[name](options)));
    return rows;
  },
};
