// A feature store alone on Kafka, in a process of its own; started by processes.ts.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "@heddle/base";
import { openKafkaLog } from "@heddle/eventlog/kafka";
import { startFeatureStore } from "@heddle/feature-store";
import { openFileObjects } from "@heddle/objects";
import { openLmdbOnline } from "@heddle/online";
import { openLmdbEnvironment, openLmdbStore } from "@heddle/store";
import { silentTelemetry } from "@heddle/telemetry";

const [folder = "", brokers = "", partitions = ""] = process.argv.slice(2);
const [clock, random, telemetry] = [systemClock, Math.random, silentTelemetry()];
const pseudonymKeyFile = join(folder, "pseudonym.key");
writeFileSync(pseudonymKeyFile, "a key of the bench");
const settings = `replicas=1&minInSyncReplicas=1&partitions=${partitions}`;
const url = `kafka://${brokers}/?${settings}`;
await using environment = openLmdbEnvironment({
  path: join(folder, "store"),
  mapBytesMax: 1 << 30,
});
await using eventLog = openKafkaLog({ url, clock, random });
await using store = await startFeatureStore({
  store: openLmdbStore(environment, "feature-store"),
  ...{ eventLog, clock, random, telemetry, pseudonymKeyFile },
  objects: await openFileObjects({ path: join(folder, "objects") }),
  online: openLmdbOnline(environment),
  stateFolder: join(folder, "state"),
});
process.send?.({ address: store.address });
// The collector's saw-tooth is slower than a look at the memory: what is looked at is what is left of it.
process.on("message", () => {
  globalThis.gc?.();
  process.send?.({ collected: true });
});
await new Promise<void>((resolve) => process.once("disconnect", resolve));
process.exit(0);
