import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { built, type Recipe } from "../cache.ts";
import { serverForTests, type TestServer } from "../for-tests.ts";
import { type RunningServer, startServer } from "../running.ts";
import { runTool } from "../tool.ts";

const version = "1.76.0";
const module = `github.com/jaegertracing/jaeger@v${version}`;
/** Of that module the program is Jaeger v2, a build of the OpenTelemetry Collector. */
const product = `Jaeger v2 of ${module.split("@")[1]}`;
const go = "Go 1.26 or newer";
const build = ["build", "-ldflags", "-s -w"];

/** A module that replaces others cannot be installed, only built where it lies. */
export const jaegerRecipe: Recipe = {
  name: "jaeger",
  version,
  parts: [module, ...build],
  build: async (folder) => {
    const said = await runTool("go", ["mod", "download", "-json", module], { remedy: go });
    // What it says of its downloads comes first.
    const { Dir: source } = JSON.parse(said.slice(said.indexOf("{"))) as { readonly Dir: string };
    await runTool("go", [...build, "-o", join(folder, "jaeger"), "./cmd/jaeger"], {
      cwd: source,
      env: { GOFLAGS: "-mod=readonly" },
      remedy: go,
    });
  },
};

/** A Jaeger that keeps traces in memory; its URL is that of its query API. */
export interface RunningJaeger extends RunningServer {
  /** Where traces and metrics are sent to, OTLP over gRPC. */
  readonly otlpEndpoint: string;
  /** `host:port` of the metrics that were sent to it, for Prometheus. */
  readonly metrics: string;
}

/**
 * Starts Jaeger with its collector and its query API. What is built from Go's module has no pages for people: they are no part of it.
 *
 * @throws {Unavailable} without Go or the network.
 */
export async function startJaeger(folder: string): Promise<RunningJaeger> {
  const programs = await built(jaegerRecipe);
  mkdirSync(folder, { recursive: true });
  let ports: readonly number[] = [];
  const running = await startServer({
    name: product,
    portCount: 4,
    command: (given) => {
      ports = given;
      const file = join(folder, "jaeger.yaml");
      // JSON is YAML.
      const [query = "", otlp = "", metrics = "", queryGrpc = ""] = given.map(at);
      const settings = jaegerSettings({ query, otlp, metrics, queryGrpc });
      writeFileSync(file, JSON.stringify(settings, null, 2));
      return { program: join(programs, "jaeger"), args: ["--config", file], cwd: folder };
    },
    url: ([query]) => `http://${at(query)}`,
    answers: async (url) => (await (await fetch(`${url}/api/services`)).text()).includes('"data"'),
  });
  const [, otlp, metrics] = ports;
  return { ...running, otlpEndpoint: `http://${at(otlp)}`, metrics: at(metrics) };
}

/** The Jaeger of one test file. */
export interface TestJaeger extends TestServer {
  readonly otlpEndpoint: string;
  /** `host:port` of the metrics; undefined of one that was given. */
  readonly metrics: string | undefined;
}

/** `HEDDLE_TEST_JAEGER_URL` may name another, `http://host:16686?otlp=http://host:4317`. */
export async function jaegerForTests(): Promise<TestJaeger> {
  let started: RunningJaeger | undefined;
  const server = await serverForTests({
    name: "Jaeger",
    product,
    variable: "HEDDLE_TEST_JAEGER_URL",
    start: async (folder) => (started = await startJaeger(folder)),
  });
  const [url = "", query = ""] = server.url.split("?");
  const given = new URLSearchParams(query).get("otlp") ?? "";
  return {
    ...{ ...server, url, metrics: started?.metrics },
    otlpEndpoint: started?.otlpEndpoint ?? given,
  };
}

const at = (port: number | undefined): string => `127.0.0.1:${port}`;

/** Where a Jaeger listens, `host:port` each. */
export interface JaegerEndpoints {
  /** The query API. */
  readonly query: string;
  readonly queryGrpc: string;
  readonly otlp: string;
  /** The metrics that were sent to it, for Prometheus. */
  readonly metrics: string;
}

export function jaegerSettings({ query, queryGrpc, otlp, metrics }: JaegerEndpoints): object {
  return {
    service: {
      extensions: ["jaeger_storage", "jaeger_query"],
      pipelines: {
        traces: { receivers: ["otlp"], exporters: ["jaeger_storage_exporter", "spanmetrics"] },
        metrics: { receivers: ["otlp", "spanmetrics"], exporters: ["prometheus"] },
      },
      telemetry: { metrics: { level: "none" }, logs: { level: "warn" } },
    },
    extensions: {
      jaeger_query: {
        storage: { traces: "memory" },
        http: { endpoint: query },
        grpc: { endpoint: queryGrpc },
      },
      jaeger_storage: { backends: { memory: { memory: { max_traces: 100_000 } } } },
    },
    connectors: { spanmetrics: { metrics_flush_interval: "5s" } },
    receivers: { otlp: { protocols: { grpc: { endpoint: otlp } } } },
    exporters: {
      jaeger_storage_exporter: { trace_storage: "memory" },
      prometheus: { endpoint: metrics },
    },
  };
}
