import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { composeForTests } from "@heddle/servers";
import { temporaryFolder } from "@heddle/testkit";

const file = join(import.meta.dirname, "../../../infra/compose/compose.yaml");
const { path: program, skip } = await composeForTests();

const read = (path: string) => spawnSync(program, ["-format", "json", path], { encoding: "utf8" });

test(
  "the library of Docker Compose takes the compose file, and would not take one that is wrong",
  { skip },
  () => {
    const { status, stdout, stderr } = read(file);
    assert.equal(status, 0, stderr);
    const { services } = JSON.parse(stdout) as { services: Record<string, unknown> };
    const expected = ["registry", "scheduler", "demo", "mongodb", "kafka", "s3", "jaeger"];
    assert.deepEqual(
      expected.filter((name) => !(name in services)),
      [],
    );
    using folder = temporaryFolder("compose");
    const text = readFileSync(file, "utf8");
    const right = "restart: unless-stopped";
    assert.ok(text.includes(right));
    writeFileSync(folder.file("compose.yaml"), text.replace(right, "restrat: always"));
    const wrong = read(folder.file("compose.yaml"));
    assert.notEqual(wrong.status, 0);
    assert.match(wrong.stderr, /restrat/);
  },
);
