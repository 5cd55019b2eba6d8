// Writes the settings that the containers of infra/compose/compose.yaml mount: those of the cluster, where it runs in containers.
// `node tools/compose.ts` after a change of a service's settings; a test says when.
import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Addresses } from "../apps/cli/src/host/clients.ts";
import type { HostFile } from "../apps/cli/src/host/host-file.ts";
import { programs } from "../apps/cli/src/host/programs.ts";
import { story } from "../examples/grocer/src/story.ts";
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

/** Takes spans and metrics, keeps the spans in memory, and shows the metrics to Prometheus. JSON is YAML. */
const jaeger = {
  service: {
    extensions: ["jaeger_storage", "jaeger_query"],
    pipelines: {
      traces: { receivers: ["otlp"], exporters: ["jaeger_storage_exporter"] },
      metrics: { receivers: ["otlp"], exporters: ["prometheus"] },
    },
  },
  extensions: {
    jaeger_query: { storage: { traces: "memory" }, http: { endpoint: "0.0.0.0:16686" } },
    jaeger_storage: { backends: { memory: { memory: { max_traces: 100_000 } } } },
  },
  receivers: { otlp: { protocols: { grpc: { endpoint: otlp } } } },
  exporters: {
    jaeger_storage_exporter: { trace_storage: "memory" },
    prometheus: { endpoint: "jaeger:8889" },
  },
};
const scraped = { static_configs: [{ targets: [jaeger.exporters.prometheus.endpoint] }] };
const prometheus = {
  global: { scrape_interval: "5s" },
  scrape_configs: [{ job_name: "heddle", honor_labels: true, ...scraped }],
};

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
  const files = { ...settingsOf(surroundings, addresses), host, jaeger, prometheus };
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
