import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type ColumnDescription, exampleColumns } from "@heddle/feature-engine";
import type { FeatureViewDefinition, ModelDefinition } from "@heddle/sdk";
import { loadProject } from "../project/load.ts";
import { definitionsFile } from "./definitions-file.ts";
import { planInit } from "./plan.ts";

const column = (name: string, distinct: number, nulls = 0): ColumnDescription => ({
  ...{ name, type: "int64", distinct, nulls, binary: distinct === 2 },
});

test("columns named as those that every dataset has, or as what is made of others, have names of their own", async () => {
  const columns = [
    column("row", 500),
    column("weight", 90, 3),
    column("weight_value", 4),
    column("visit", 5),
    column("age", 60, 3),
    column("age_bucket", 6),
    column("age_missing", 2),
    column("label", 2),
  ];
  const folder = mkdtempSync(join(tmpdir(), "heddle-init-"));
  try {
    const plan = planInit({ rows: 500, columns }, { name: "people", label: "label" });
    writeFileSync(join(folder, "heddle.ts"), definitionsFile(plan));
    const found = await loadProject(folder);
    const view = found.find((one): one is FeatureViewDefinition => one.kind === "feature-view");
    const read = Object.entries(view?.features ?? {}).map(([name, of]) => [
      name,
      of.from === "example" ? of.column : "",
    ]);
    assert.deepEqual(Object.fromEntries(read), {
      ...{ weight_value_: "weight", weight_value: "weight_value", visit_value: "visit" },
      ...{ age: "age", age_bucket: "age_bucket", age_missing: "age_missing" },
    });
    assert.ok(!exampleColumns.some(({ name }) => name in (view?.features ?? {})));
    const model = found.find((one): one is ModelDefinition => one.kind === "model");
    const inputs = model?.inputs.map(({ name }) => name) ?? [];
    assert.equal(new Set(inputs).size, inputs.length);
    assert.ok(inputs.includes("age_bucket_") && inputs.includes("weight_value__missing"));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
