// Writes the settings that the containers of infra/compose/compose.yaml mount: those of the cluster, where it runs in containers.
// `node tools/compose.ts` after a change of a service's settings; a test says when.
import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Addresses } from "../apps/cli/src/host/clients.ts";
import type { HostFile } from "../apps/cli/src/host/host-file.ts";
import { programs } from "../apps/cli/src/host/programs.ts";
import { story } from "../examples/grocer/src/story.ts";
import { jaegerSettings } from "../test/servers/src/programs/jaeger.ts";
import { prometheusSettings } from "../test/servers/src/programs/prometheus.ts";
import { settingsOf } from "./cluster/settings.ts";

const root = join(import.meta.dirname, "..");
/** Where the image has this workspace, and what the containers mount. */
export const container = { root: "/heddle", config: "/etc/heddle", state: "/var/lib/heddle" };
export const composeFolder = join(root, "infra/compose");

/** Each service listens on its own name, which Compose resolves for the others. */
const addresses: Addresses = {
  registry: "registry:50051",
  featureStore: "feature-store:50052",
  evaluator: "evaluator:50053",
  modelServer: "model-server:50054",
  sync: "sync:50055",
  scheduler: "scheduler:50056",
};
const otlp = "jaeger:4317";
const servers = {
  storeUrl: "mongodb://mongodb:27017/heddle?replicaSet=heddle",
  logUrl: "kafka://kafka:9092?replicas=1&minInSyncReplicas=1",
  objects: "s3://heddle/compose?endpoint=http://s3:7070&region=us-east-1",
};

const metrics = "jaeger:8889";
const shown = { query: "0.0.0.0:16686", queryGrpc: "0.0.0.0:16685" };

/** The files of `config`, by name. */
export function composeFiles(): ReadonlyMap<string, string> {
  const inContainer = (path: string): string => join(container.root, relative(root, path));
  const entries = Object.entries(programs).map(([name, path]) => [name, inContainer(path)]);
  const surroundings = {
    ...{ state: container.state, servers, otlpEndpoint: `http://${otlp}` },
    pseudonymKeyFile: join(container.config, "pseudonym.key"),
    programs: Object.fromEntries(entries) as typeof programs,
  };
  // Commands find the services by it, as they find a host's.
  const host: HostFile = { pid: 1, addresses, objects: servers.objects };
  const files = {
    ...{ ...settingsOf(surroundings, addresses), host },
    jaeger: jaegerSettings({ ...shown, otlp, metrics }),
    prometheus: prometheusSettings([metrics]),
  };
  return new Map([
    ...Object.entries(files).map(
      ([name, content]) => [`${name}.json`, `${JSON.stringify(content, null, 2)}\n`] as const,
    ),
    // Of the example, whose data are public: with it the models have the bytes that `npm start` gives them.
    ["pseudonym.key", story.pseudonymKey] as const,
  ]);
}

if (import.meta.main) {
  const folder = join(composeFolder, "config");
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of composeFiles()) writeFileSync(join(folder, name), text);
}
