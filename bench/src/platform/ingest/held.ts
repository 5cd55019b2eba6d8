import { rmSync } from "node:fs";
import { openDuckdb } from "@heddle/feature-engine";
import { openFileObjects } from "@heddle/objects";
import type { FeatureStoreService } from "@heddle/proto/feature-store";
import type { Client } from "@heddle/rpc";
import { source } from "./load.ts";

/** What the segments of the source hold. */
export interface Held {
  readonly events: number;
  readonly ids: number;
  /** Sum over the ids: with as many different ones as were sent, those and no others. */
  readonly sum: number;
}

/** Reads the ids of all segments that the source names. */
export async function heldBy(
  featureStore: Client<typeof FeatureStoreService>,
  objectsFolder: string,
  tempFolder: string,
): Promise<Held> {
  const { segments } = await featureStore.getSource({ source: source.name }, { timeoutMs: 30_000 });
  const objects = await openFileObjects({ path: objectsFolder });
  const paths = await Promise.all(
    segments.map(({ object }) => objects.path(object?.name ?? "", object?.sha256)),
  );
  if (paths.length === 0) return { events: 0, ids: 0, sum: 0 };
  const settings = { threads: 2, memoryBytesMax: 512 << 20, tempFolder };
  await using db = await openDuckdb(settings);
  const files = paths.map((path) => `'${path}'`).join(", ");
  const [held] = await db.rows<Record<keyof Held, bigint>>(
    `select count(*) as events, count(distinct id) as ids, sum(id)::bigint as "sum" from read_parquet([${files}])`,
  );
  rmSync(tempFolder, { recursive: true, force: true });
  const { events = 0n, ids = 0n, sum = 0n } = held ?? {};
  return { events: Number(events), ids: Number(ids), sum: Number(sum) };
}
