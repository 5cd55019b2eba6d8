import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { built, type Recipe } from "../cache.ts";
import { serverForTests, type TestServer } from "../for-tests.ts";
import { type RunningServer, startServer } from "../running.ts";
import { runTool } from "../tool.ts";
import { Unavailable } from "../unavailable.ts";

const debian = "Debian's apt-get and dpkg";

/** The package's files without its installation; with lists of packages of our own, so that it needs no rights and changes nothing. */
export const prometheusRecipe: Recipe = {
  name: "prometheus",
  version: "debian",
  parts: ["prometheus"],
  build: unpackPrometheus,
};

/**
 * Starts Debian's Prometheus, which asks the given places for their metrics.
 *
 * @param targets `host:port`s that serve `/metrics`.
 * @throws {Unavailable} without apt or the network.
 */
export async function startPrometheus(
  folder: string,
  targets: readonly string[],
): Promise<RunningServer> {
  const root = await built(prometheusRecipe);
  mkdirSync(folder, { recursive: true });
  const config = join(folder, "prometheus.yaml");
  // JSON is YAML.
  writeFileSync(config, JSON.stringify(prometheusSettings(targets), null, 2));
  return await startServer({
    name: "Debian's Prometheus",
    command: ([port]) => ({
      program: join(root, "usr/bin/prometheus"),
      args: [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, "data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
        "--log.level=warn",
      ],
      cwd: folder,
    }),
    url: ([port]) => `http://127.0.0.1:${port}`,
    answers: async (url) => (await fetch(`${url}/-/ready`)).ok,
  });
}

export function prometheusSettings(targets: readonly string[]): object {
  const job = { job_name: "heddle", honor_labels: true, static_configs: [{ targets }] };
  return { global: { scrape_interval: "5s" }, scrape_configs: [job] };
}

/** The Prometheus of one test file: that of `HEDDLE_TEST_PROMETHEUS_URL`, which must ask the places by itself, or one of our own. */
export function prometheusForTests(targets: readonly string[]): Promise<TestServer> {
  return serverForTests({
    name: "Prometheus",
    product: "Debian's",
    variable: "HEDDLE_TEST_PROMETHEUS_URL",
    start: (folder) => startPrometheus(folder, targets),
  });
}

async function unpackPrometheus(into: string): Promise<void> {
  const own = join(into, "apt");
  mkdirSync(join(own, "lists/partial"), { recursive: true });
  mkdirSync(join(own, "cache/archives/partial"), { recursive: true });
  const options = [`Dir::State::lists=${own}/lists`, `Dir::Cache=${own}/cache`].flatMap(
    (option) => ["-o", option],
  );
  const apt = async (...args: string[]): Promise<void> => {
    await runTool("apt-get", [...options, "-q", ...args], { cwd: own, remedy: debian });
  };
  await apt("update");
  await apt("download", "prometheus");
  const [archive] = readdirSync(own).filter((file) => file.endsWith(".deb"));
  if (archive === undefined) throw new Unavailable("this Debian has no package prometheus");
  await runTool("dpkg", ["-x", join(own, archive), into], { remedy: debian });
  await rm(own, { recursive: true });
}
