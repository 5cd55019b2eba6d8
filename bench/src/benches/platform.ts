import type { Bench } from "../main.ts";
import { partsAsked } from "../parts.ts";
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

export const bench: Bench = {
  about: `production backends on real servers; all, or --part=${Object.keys(parts).join("|")}`,
  run: async (options) => {
    const rows: Row[] = [];
    for (const [, rowsOf] of partsAsked("platform", parts, options)) {
      rows.push(...(await rowsOf(options)));
    }
    return rows;
  },
};
