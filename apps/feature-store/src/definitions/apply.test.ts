import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isHeddleError } from "@heddle/base";
import { DatasetUse } from "@heddle/proto/feature-store";
import { items, members, offers, ranker, sales, view } from "../fixtures/shop.ts";
import { call, openWorld, type World } from "../fixtures/world.ts";

let world: World;
before(async () => {
  world = await openWorld();
  await world.apply(sales, offers, items, members, view);
});
after(() => world[Symbol.asyncDispose]());

let requests = 0;
const apply = (definition: object) =>
  world.featureStore.applyDefinition(
    { requestId: `r${(requests += 1)}`, definitionJson: JSON.stringify(definition) },
    call,
  );
const refused = (reason: string, hint: RegExp) => (error: unknown) => {
  assert.ok(isHeddleError(error, reason), String(error));
  assert.match(error.message, hint);
  return true;
};
const withFeature = (plan: object, version = 9) => ({ ...view, version, features: { odd: plan } });
const aggregate = {
  from: "aggregate",
  source: "sales",
  keys: ["member"],
  aggregate: { op: "count" },
  type: "int64",
};

test("the same definition again is no error, and one changed in place is", async () => {
  const first = await apply(view);
  assert.equal(first.created, false);
  assert.equal((await apply({ ...view, version: 2 })).created, true);
  await assert.rejects(
    apply({ ...view, reason: "other" }),
    refused("DEFINITION_CHANGED", /set version 2/),
  );
  await assert.rejects(
    apply({ ...sales, owner: "me" }),
    refused("DEFINITION_CHANGED", /source sales/),
  );
});

test("an unknown key is named with the nearest known one", async () => {
  const { owner, ...others } = sales;
  await assert.rejects(
    apply({ ...others, name: "s2", ownr: owner }),
    refused("DEFINITION_INVALID", /"ownr"; did you mean "owner"/),
  );
  await assert.rejects(
    apply({ ...sales, name: "s2", subject: "membr" }),
    refused("DEFINITION_INVALID", /subject names the column "membr"/),
  );
  await assert.rejects(apply({ kind: "model" }), refused("DEFINITION_INVALID", /not model/));
});

test("a feature of an unknown source or column is refused", async () => {
  await assert.rejects(
    apply(withFeature({ ...aggregate, source: "sale" })),
    refused("UNKNOWN_SOURCE", /feature odd of all@9.*did you mean "sales"/),
  );
  const sum = { ...aggregate, aggregate: { op: "sum", column: "cent" } };
  await assert.rejects(apply(withFeature(sum)), refused("UNKNOWN_COLUMN", /did you mean "cents"/));
});

test("a sum of floats, a lookup that matches several rows, an aggregate of a reference are refused", async () => {
  const floats = { ...aggregate, aggregate: { op: "sum", column: "weight" } };
  await assert.rejects(
    apply(withFeature(floats)),
    refused("DEFINITION_INVALID", /sums are over int64 only/),
  );
  const lookup = {
    from: "lookup",
    source: "items",
    keys: ["kind"],
    column: "grams",
    type: "float64",
  };
  await assert.rejects(
    apply(withFeature(lookup)),
    refused("DEFINITION_INVALID", /without its id "item"/),
  );
  await assert.rejects(
    apply(withFeature({ ...aggregate, source: "items", keys: ["item"] })),
    refused("DEFINITION_INVALID", /no eventTime/),
  );
});

test("a condition compares a column with a value of its type", async () => {
  const where = (column: string, value: unknown) =>
    apply(withFeature({ ...aggregate, where: [{ column, is: ">", value }] }, 11));
  for (const [column, value, hint] of [
    ["cents", "500", /feature odd of all@11 asks for "cents" > "500", but the column is int64/],
    ["weight", true, /"weight" > true, but the column is float64: compare it with a value/],
    ["item", 3, /"item" > 3, but the column is string/],
    ["time", "yesterday", /"time" > "yesterday", but the column is timestamp/],
    ["time", 1764400000000, /but the column is timestamp/],
  ] as const) {
    await assert.rejects(where(column, value), refused("DEFINITION_INVALID", hint));
  }
  await assert.rejects(where("cent", 1), refused("UNKNOWN_COLUMN", /did you mean "cents"/));
  assert.equal((await where("time", "2026-01-01T00:00:00")).created, true);
});

test("a model that reads what nobody defined is refused when its rows are resolved", async () => {
  const resolve = (model: object, branches = {}) =>
    world.featureStore.resolveDataset(
      { modelDefinitionJson: JSON.stringify(model), use: DatasetUse.TRAINING, branches },
      call,
    );
  await assert.rejects(
    resolve(ranker, { sale: "new" }),
    refused("UNKNOWN_SOURCE", /branch of the source "sale" .*not read; did you mean "sales"/),
  );
  await assert.rejects(
    resolve(ranker, { sales: "new" }),
    refused("UNKNOWN_BRANCH", /source sales has no branch "new": nothing was ingested into it/),
  );
  await assert.rejects(
    resolve({ ...ranker, views: ["none@1"] }),
    refused("UNKNOWN_FEATURE", /none@1/),
  );
  const slices = [{ name: "s", by: "knd" }];
  await assert.rejects(
    resolve({ ...ranker, slices }),
    refused("UNKNOWN_FEATURE", /did you mean "kind"/),
  );
  await apply(withFeature({ ...aggregate, keys: ["cents"] }, 10));
  await assert.rejects(
    resolve({ ...ranker, views: ["all@10"] }),
    refused("UNKNOWN_FEATURE", /key "cents"/),
  );
});

test("a model that reads what nobody defined is refused when it is checked, with the nearest name", async () => {
  const check = (change: object) =>
    world.featureStore.checkModel(
      { modelDefinitionJson: JSON.stringify({ ...ranker, ...change }) },
      call,
    );
  const input = (of: object) => ({ inputs: [{ name: "odd", kind: "numeric", of }] });
  const read = (op: string, feature: string) => ({ op, feature });
  const cases: readonly (readonly [change: object, reason: string, hint: RegExp])[] = [
    [{ views: ["al@1"] }, "UNKNOWN_FEATURE", /model shop-ranker.*al@1.*did you mean "all@1"/],
    [
      { examples: { ...ranker.examples, visits: { source: "sale", keys: ["member"] } } },
      "UNKNOWN_SOURCE",
      /model shop-ranker.*did you mean "sales"/,
    ],
    [
      { partitioning: { by: "column", column: "wek" } },
      "UNKNOWN_COLUMN",
      /model shop-ranker.*did you mean "week"/,
    ],
    [
      { slices: [{ name: "s", where: [{ column: "boght", is: ">", value: 0 }] }] },
      "UNKNOWN_FEATURE",
      /slice s of model shop-ranker.*did you mean "bought"/,
    ],
    [
      { fallback: { name: "popular", feature: "boght" } },
      "UNKNOWN_FEATURE",
      /fallback popular of model shop-ranker.*\(all@1\).*did you mean "bought"/,
    ],
    [
      { fallback: { name: "popular", feature: "kind" } },
      "DEFINITION_INVALID",
      /fallback popular.*"kind", which is category: name a number/,
    ],
    [
      input({ op: "ratio", of: read("value", "bought"), by: read("value", "boght") }),
      "UNKNOWN_FEATURE",
      /input odd of model shop-ranker.*"boght".*did you mean "bought"/,
    ],
    [
      input({ op: "cross", of: [read("category", "kind"), read("category", "knd")] }),
      "UNKNOWN_FEATURE",
      /input odd of model shop-ranker.*did you mean "kind"/,
    ],
    [
      input({ op: "log1p", of: read("value", "kind") }),
      "DEFINITION_INVALID",
      /"kind", which is category, by value, which takes int64, float64, boolean/,
    ],
    [input({ op: "log1p", of: 3 }), "DEFINITION_INVALID", /inputs/],
  ];
  await check({});
  await check(
    input({ op: "difference", of: read("value", "bought"), minus: read("is-missing", "kind") }),
  );
  for (const [change, reason, hint] of cases) {
    await assert.rejects(check(change), refused(reason, hint));
  }
});

test("definitions are listed page by page, with their authors", async () => {
  const names: string[] = [];
  let pageToken = "";
  do {
    const page = await world.featureStore.listDefinitions({ pageSize: 2, pageToken }, call);
    names.push(...page.definitions.map((d) => `${d.kind}/${d.name}`));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  assert.ok(names.includes("feature-view/all@1") && names.includes("source/sales"));
  assert.equal(new Set(names).size, names.length);
});
