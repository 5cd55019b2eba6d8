import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { isHeddleError } from "@heddle/base";
import { defineSource } from "@heddle/sdk";
import { openRacing } from "../fixtures/racing.ts";
import { members, membersCsv, sales, salesCsv } from "../fixtures/shop.ts";
import { call, openWorld, type World } from "../fixtures/world.ts";

let world: World;
before(async () => {
  world = await openWorld();
  await world.apply(sales, members);
});
after(() => world[Symbol.asyncDispose]());

const events = async (source: string, of: World = world): Promise<number> =>
  (await of.featureStore.getSource({ source }, call)).segments.reduce(
    (sum, s) => sum + Number(s.events),
    0,
  );

const refusals: [what: string, reason: string, name: string, text: string, hint: RegExp][] = [
  ["no rows", "EMPTY_FILE", "empty.csv", salesCsv(1).split("\n")[0]!, /no rows/],
  [
    "an unknown column",
    "UNKNOWN_COLUMN",
    "unknown.csv",
    salesCsv(1).replace("cents", "pence"),
    /"pence".*declared are/,
  ],
  ["a missing column", "MISSING_COLUMN", "missing.csv", "sale,member\n1,2", /"shop" is not in it/],
  [
    "a value of a wrong type",
    "WRONG_TYPE",
    "type.csv",
    salesCsv(1).replace("\n1001,", "\nx1001,"),
    /row 2, column "sale" is not int64/,
  ],
  [
    "an id that is empty",
    "WRONG_TYPE",
    "null.csv",
    salesCsv(1).replace("\n1002,", "\n,"),
    /row 3 has no "sale"/,
  ],
  [
    "NaN",
    "NOT_A_NUMBER",
    "nan.csv",
    salesCsv(1).replace(/(\n1000,.*),[^,]*,(2025)/, "$1,nan,$2"),
    /row 1, column "weight"/,
  ],
  [
    "an event from the future",
    "FUTURE_EVENT",
    "future.csv",
    salesCsv(1).replaceAll("2025-01", "2099-01"),
    /row 1 happened after now/,
  ],
  [
    "an event of the year 1",
    "TIME_TOO_EARLY",
    "early.csv",
    salesCsv(1).replace(/(\n1002,.*,)2025/, "$10001"),
    /row 3 happened before 1900-01-02 \("time"\); leave the row out/,
  ],
  [
    "times with and without a zone",
    "TIME_ZONE_MIXED",
    "zones.csv",
    salesCsv(1).replace(/(\n1002,.*)/, "$1+02:00"),
    /"time" some times say their zone .* row 3; write all with a zone/,
  ],
  [
    "a number that is not whole",
    "WRONG_TYPE",
    "half.csv",
    salesCsv(1).replace("\n1002,", "\n1002.5,"),
    /row 3, column "sale" is not int64/,
  ],
  [
    "semicolons",
    "UNREADABLE_FILE",
    "semicolons.csv",
    salesCsv(1).replaceAll(",", ";"),
    /separated by ";"; separate its columns by commas/,
  ],
  [
    "a ragged line",
    "UNREADABLE_FILE",
    "ragged.csv",
    salesCsv(1).replace("\n1003,", "\n1003,7,"),
    /ragged\.csv: line 5 has 9 values, and its first line names 8 columns/,
  ],
  ["no Parquet", "UNREADABLE_FILE", "not.parquet", "PAR1 what is this", /as parquet/],
  ["broken JSON", "UNREADABLE_FILE", "broken.jsonl", '{"sale": 1', /as jsonl/],
];
for (const [what, reason, name, text, hint] of refusals) {
  test(`a file with ${what} is refused whole: ${reason}`, async () => {
    const held = await events("sales");
    await assert.rejects(world.ingestText("sales", name, text), (error) => {
      assert.ok(isHeddleError(error, reason), String(error));
      assert.match(error.message, hint);
      assert.match(error.message, new RegExp(`source sales, file ${name}`));
      return true;
    });
    assert.equal(await events("sales"), held);
    assert.deepEqual(await world.objects.list("segments/sales/"), []);
  });
}

test("a file for a source that nobody applied names the nearest one", async () => {
  await assert.rejects(
    world.ingestText("sale", "s.csv", salesCsv(1)),
    (e) => isHeddleError(e, "UNKNOWN_SOURCE") && /did you mean "sales"/.test(e.message),
  );
  await assert.rejects(
    world.ingestText("weather", "w.csv", salesCsv(1)),
    (e) => isHeddleError(e, "UNKNOWN_SOURCE") && /known are .*sales/.test(e.message),
  );
});

test("an event is counted once, within a file, between files, and whatever the format", async () => {
  await using own = await openWorld();
  await own.apply(sales);
  const lines = salesCsv(1).split("\n");
  const twice = [...lines, ...lines.slice(1, 6)].join("\n");
  const first = await own.ingestText("sales", "one.csv", twice);
  assert.deepEqual([Number(first.events), Number(first.duplicates)], [40, 5]);
  const again = await own.ingestText(
    "sales",
    "two.csv",
    [...lines, ...salesCsv(2).split("\n").slice(1, 4)].join("\n"),
  );
  assert.deepEqual([Number(again.events), Number(again.duplicates)], [3, 40]);
  const json = lines.slice(1, 3).map((line) => {
    const cells = line.split(",");
    return JSON.stringify(Object.fromEntries(lines[0]!.split(",").map((c, i) => [c, cells[i]])));
  });
  const third = await own.ingestText("sales", "three.jsonl", json.join("\n"));
  assert.deepEqual([Number(third.events), Number(third.duplicates)], [0, 2]);
  assert.equal(await events("sales", own), 43);
});

test("where all columns together are the id, an empty value is one like any other", async () => {
  await using own = await openWorld();
  const { eventId: _, subject: __, ...rest } = sales;
  await own.apply(defineSource({ ...rest, eventId: Object.keys(sales.columns) }));
  const [head = "", one = "", ...more] = salesCsv(1).split("\n");
  const empty = one.replace(/^\d+,/, ",");
  const first = await own.ingestText("sales", "one.csv", [head, one, empty, empty].join("\n"));
  assert.deepEqual([Number(first.events), Number(first.duplicates)], [2, 1]);
  // Beside a file whose numbers lie elsewhere.
  const second = await own.ingestText("sales", "two.csv", [head, empty, more.at(-1)].join("\n"));
  assert.deepEqual([Number(second.events), Number(second.duplicates)], [1, 1]);
});

test("the same request again answers with the first result and adds nothing", async () => {
  await using own = await openWorld();
  await own.apply(sales);
  const more = { requestId: "r1" };
  const first = await own.ingestText("sales", "s.csv", salesCsv(1), more);
  const second = await own.ingestText("sales", "s.csv", salesCsv(1), more);
  assert.deepEqual([second.events, second.duplicates], [first.events, first.duplicates]);
  await assert.rejects(own.ingestText("sales", "t.csv", salesCsv(2), more), (e) =>
    isHeddleError(e, "REQUEST_ID_REUSED"),
  );
  assert.equal(await events("sales", own), 40);
});

test("a file whose call is cancelled midway is not taken for a shorter one, and comes whole afterwards", async () => {
  const source = defineSource({ ...sales, name: "cut_sales" });
  await world.apply(source);
  const [text, part] = [salesCsv(6), salesCsv(2)];
  const header = { requestId: "cut", source: "cut_sales", format: "csv", fileName: "cut.csv" };
  const bytes = BigInt(Buffer.byteLength(text));
  for (let round = 0; round < 5; round++) {
    const stop = new AbortController();
    const chunks = async function* () {
      yield { header: { ...header, bytes } };
      // A file by itself, as what arrives before a cut may be.
      yield { chunk: Buffer.from(part) };
      await new Promise((resolve) => setTimeout(resolve, round));
      stop.abort();
      await new Promise(() => undefined);
    };
    const cut = world.featureStore.ingest(chunks(), { ...call, signal: stop.signal });
    await assert.rejects(cut, { code: "CANCELLED" });
  }
  const short = async function* () {
    yield { header: { ...header, bytes } };
    yield { chunk: Buffer.from(part) };
  };
  const incomplete = {
    code: "ABORTED",
    reason: "INGEST_INCOMPLETE",
    message: /of cut\.csv arrived/,
  };
  await assert.rejects(world.featureStore.ingest(short(), call), incomplete);
  assert.equal(await events("cut_sales"), 0);
  const whole = async function* () {
    yield { header: { ...header, bytes } };
    yield { chunk: Buffer.from(text) };
  };
  const { events: kept } = await world.featureStore.ingest(whole(), call);
  assert.equal(Number(kept), await events("cut_sales"));
  assert.ok(Number(kept) > part.split("\n").length - 2, `${kept} events`);
});

test("files that arrive at once are all kept, each event once", async () => {
  await using own = await openWorld();
  await own.apply(sales);
  const files = [1, 2, 3].flatMap((week) => [salesCsv(week), salesCsv(week)]);
  await Promise.all(files.map((text, i) => own.ingestText("sales", `s${i}.csv`, text)));
  assert.equal(await events("sales", own), 120);
});

test("a file that another process takes in meanwhile is not taken in twice", async () => {
  await using documents = openRacing();
  await using own = await openWorld(undefined, {}, undefined, documents);
  await own.apply(sales);
  const { events: kept, duplicates } = await own.ingestText("sales", "s.csv", salesCsv(1));
  assert.deepEqual([kept, duplicates], [0n, 40n]);
  assert.equal(await events("sales", own), 40);
});

test("a reference table is replaced whole", async () => {
  await using own = await openWorld();
  await own.apply(members);
  await own.ingestText("members", "m.csv", membersCsv());
  await own.ingestText("members", "n.csv", "member,age\n1,old");
  assert.equal(await events("members", own), 1);
});

test("no raw subject is stored", async () => {
  await using own = await openWorld();
  const people = defineSource({
    ...sales,
    name: "people",
    columns: { ...sales.columns, member: "string" },
  });
  await own.apply(people);
  const text = salesCsv(1).replaceAll(/\n(\d+),(\d+),/g, "\n$1,person-$2,");
  const { segments } = await own.ingestText("people", "p.csv", text);
  const bytes = await own.objects.get(segments[0]!.object!.name);
  assert.ok(!Buffer.from(bytes).includes("person-"));
});

for (const step of ["after-segment", "after-commit"]) {
  test(`a death ${step} loses nothing that was acknowledged and counts nothing twice`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "heddle-ingest-"));
    try {
      writeFileSync(join(folder, "s.csv"), salesCsv(1));
      const child = fork(join(import.meta.dirname, "../fixtures/ingest-once.ts"), [folder], {
        env: { ...process.env, HEDDLE_FAILPOINT: `feature-store.ingest.${step}` },
        stdio: "ignore",
      });
      const signal = await new Promise((resolve) =>
        child.once("exit", (_, signal) => resolve(signal)),
      );
      assert.equal(signal, "SIGKILL");
      await using own = await openWorld(folder);
      const again = await own.ingestText(
        "sales",
        "s.csv",
        readFileSync(join(folder, "s.csv"), "utf8"),
        { requestId: "once" },
      );
      assert.deepEqual([Number(again.events), Number(again.duplicates)], [40, 0]);
      assert.equal(await events("sales", own), 40);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
