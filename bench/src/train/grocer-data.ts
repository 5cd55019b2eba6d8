import { createReadStream } from "node:fs";
import { basename, join } from "node:path";
import { contentName, systemClock } from "@heddle/base";
import { openLocalLog } from "@heddle/eventlog";
import { startFeatureStore } from "@heddle/feature-store";
import { openFileObjects } from "@heddle/objects";
import { openLmdbOnline } from "@heddle/online";
import { FeatureStoreService } from "@heddle/proto/feature-store";
import { type Client, connect } from "@heddle/rpc";
import type { Definition, ModelDefinition } from "@heddle/sdk";
import { openLmdbEnvironment, openLmdbStore } from "@heddle/store";
import { silentTelemetry } from "@heddle/telemetry";

const grocer = join(import.meta.dirname, "../../../examples/grocer");
const storeBytesMax = 1 << 30;
const call = { timeoutMs: 300_000 };
const chunkBytes = 1 << 20;

/** A feature store that holds the first weeks of the grocer's committed data. */
export interface GrocerData extends AsyncDisposable {
  readonly featureStore: string;
  readonly objects: string;
  readonly definition: ModelDefinition;
}

/**
 * Starts a feature store in a folder and sends it the grocer's definitions and events.
 *
 * @param weeks how many weeks of events.
 */
export async function openGrocer(
  folder: string,
  weeks: number,
  say: (text: string) => void,
): Promise<GrocerData> {
  await using stack = new AsyncDisposableStack();
  const telemetry = silentTelemetry();
  const clock = systemClock;
  const random = Math.random;
  const environment = stack.use(
    openLmdbEnvironment({ path: join(folder, "store"), mapBytesMax: storeBytesMax }),
  );
  const objects = join(folder, "objects");
  const { address } = stack.use(
    await startFeatureStore({
      store: openLmdbStore(environment, "feature-store"),
      eventLog: stack.use(openLocalLog(environment, { clock, random })),
      objects: await openFileObjects({ path: objects }),
      online: stack.use(openLmdbOnline(environment)),
      ...{ clock, random, telemetry },
      stateFolder: join(folder, "feature-store"),
      pseudonymKeyFile: join(folder, "pseudonym.key"),
    }),
  );
  await using client = connect(FeatureStoreService, address, { telemetry, actor: "bench" });
  const { definitions } = (await import(join(grocer, "src/definitions.ts"))) as {
    definitions(small: boolean): readonly Definition[];
  };
  const all = definitions(false);
  for (const definition of all) {
    if (definition.kind !== "source" && definition.kind !== "feature-view") continue;
    const definitionJson = JSON.stringify(definition);
    await client.applyDefinition({ requestId: contentName(definition), definitionJson }, call);
  }
  for (const source of ["products", "demographics"]) {
    await ingest(client, source, `${source}.parquet`);
  }
  for (let week = 1; week <= weeks; week++) {
    const file = `week-${String(week).padStart(2, "0")}.parquet`;
    for (const source of ["promotions", "purchases"]) {
      await ingest(client, source, join(source, file));
    }
    say(`week ${week} of ${weeks} ingested`);
  }
  const definition = all.find((one): one is ModelDefinition => one.kind === "model");
  if (definition === undefined) throw new Error("the grocer defines no model");
  const opened = stack.move();
  return {
    ...{ featureStore: address, objects, definition },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function ingest(
  client: Client<typeof FeatureStoreService>,
  source: string,
  file: string,
): Promise<void> {
  const header = { requestId: file, source, branch: "", format: "parquet" };
  const chunks = async function* () {
    yield { header: { ...header, fileName: basename(file) } };
    const stream = createReadStream(join(grocer, "data", file), { highWaterMark: chunkBytes });
    for await (const chunk of stream as AsyncIterable<Uint8Array>) yield { chunk };
  };
  await client.ingest(chunks(), call);
}
