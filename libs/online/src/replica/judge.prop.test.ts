import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogRecord, NewRecord } from "@heddle/eventlog";
import { openLmdbEnvironment } from "@heddle/store";
import { temporaryFolder } from "@heddle/testkit";
import fc from "fast-check";
import { keyOf, type Row } from "../row.ts";
import { changeOf, recordOf, type Said } from "./change.ts";
import { nextToSettle } from "./settle.ts";
import { openTable, type Table } from "./table.ts";

const seed = Number(process.env["HEDDLE_SEED"] ?? Date.now() % 2 ** 31);
const view = "v";
const keys = ["a", "b", "c"] as const;

/** What writers append, whose knowledge may be old: a row of a generation that was, or of the newest; a removal; a view that is cleared. */
type Act =
  "clear" | "a" | "b" | "c" | { key: string; eventTimeMs: number; n: number; late: boolean };
const row = fc.record(
  {
    key: fc.constantFrom(...keys),
    eventTimeMs: fc.integer({ min: 0, max: 4 }),
    n: fc.integer({ min: 0, max: 2 }),
    late: fc.boolean(),
  },
  { noNullPrototype: true },
);
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: row },
  { weight: 2, arbitrary: fc.constantFrom(...keys) },
  fc.constant("clear"),
);
const acts = fc.array(act, { minLength: 1, maxLength: 25 });

test(`in any order, and from a log that was compacted, replicas come to the same rows (HEDDLE_SEED=${seed})`, async () => {
  const property = fc.asyncProperty(
    acts,
    fc.infiniteStream(fc.nat()),
    fc.nat(),
    async (all, choices, prefix) => {
      using folder = temporaryFolder("replica-prop");
      const environment = (name: string) =>
        openLmdbEnvironment({ path: folder.file(name), mapBytesMax: 16 << 20 });
      await using fullEnvironment = environment("full");
      await using shuffledEnvironment = environment("shuffled");
      await using freshEnvironment = environment("fresh");
      await using lateEnvironment = environment("late");

      const log: LogRecord[] = [];
      const full = openTable(fullEnvironment);
      // Some comes when the log was told all before.
      const half = prefix % all.length;
      for (const part of [all.slice(0, half), all.slice(half)]) {
        await applyAll(full, appendActs(log, part));
        for (;;) {
          const more = await nextToSettle(full, [0]);
          if (more.length === 0) break;
          await applyAll(full, append(log, more));
        }
      }
      const expected = slowly(log);
      assert.deepEqual(rowsOf(full), expected);
      assert.equal(full.marks.any, false);
      assert.deepEqual(heldBy(log), expected);

      const shuffled = openTable(shuffledEnvironment);
      const order = log.map((record) => ({ record, at: choices.next().value as number }));
      await applyAll(
        shuffled,
        order.sort((a, b) => a.at - b.at).map(({ record }) => record),
      );
      assert.deepEqual(rowsOf(shuffled), expected);

      const kept = compacted(log, () => (choices.next().value as number) % 2 === 0);
      const fresh = openTable(freshEnvironment);
      await applyAll(fresh, kept);
      assert.deepEqual(rowsOf(fresh), expected);

      const late = openTable(lateEnvironment);
      const upTo = prefix % (log.length + 1);
      await applyAll(late, log.slice(0, upTo));
      await applyAll(
        late,
        kept.filter(({ offset }) => offset >= upTo),
      );
      assert.deepEqual(rowsOf(late), expected);
    },
  );
  await fc.assert(property, { seed, numRuns: 40 });
});

test("a view that is cleared again while its rows are swept has yet to be swept", async () => {
  using folder = temporaryFolder("replica-swept");
  const path = folder.file("table");
  await using environment = openLmdbEnvironment({ path, mapBytesMax: 16 << 20 });
  const table = openTable(environment);
  const key = Buffer.from(`${view}\0`);
  const clear = (generation: number) =>
    table.apply(0, [{ key, said: generationOf(generation), after: [0] }], generation);
  await clear(1);
  await clear(2);
  await table.marks.swept(key, 1);
  assert.equal(table.marks.cleared()?.generation, 2);
  await table.marks.swept(key, 2);
  assert.equal(table.marks.cleared(), undefined);
});

/** Appends what the acts say; each `late` row is of a generation before the newest. */
function appendActs(log: LogRecord[], all: readonly Act[]): readonly LogRecord[] {
  const start = log.length;
  let newest = newestOf(log);
  for (const act of all) {
    if (act === "clear") newest += 1;
    const key = typeof act === "string" ? act : act.key;
    const record =
      act === "clear"
        ? { key: Buffer.from(`${view}\0`), said: generationOf(newest) }
        : { key: keyOf(view, key), said: saidBy(act, newest) };
    append(log, [recordOf({ ...record, after: [0] })]);
  }
  return log.slice(start);
}

const generationOf = (generation: number): Said => ({ kind: "generation", generation });

function saidBy(act: Exclude<Act, "clear">, newest: number): Said {
  if (typeof act === "string") return { kind: "removal" };
  const { eventTimeMs, n, late } = act;
  const generation = late ? Math.max(0, newest - 1) : newest;
  return { kind: "row", row: { generation, eventTimeMs, body: Buffer.from(`{"n":${n}}`) } };
}

function newestOf(log: readonly LogRecord[]): number {
  const said = log.map((record) => changeOf(record, 1).said);
  return Math.max(0, ...said.map((each) => (each.kind === "generation" ? each.generation : 0)));
}

function append(log: LogRecord[], records: readonly NewRecord[]): readonly LogRecord[] {
  const place = { topic: "t", partition: 0, timeMs: 0 };
  const added = records.map((record, n) => ({ ...record, ...place, offset: log.length + n }));
  log.push(...added);
  return added;
}

async function applyAll(table: Table, records: readonly LogRecord[]): Promise<void> {
  const changes = records.map((record) => changeOf(record, 1));
  await table.apply(0, changes, (records.at(-1)?.offset ?? 0) + 1);
}

/** Of each key the last record stays, those before it as chance has it, and removals too: who reads late may not see them. */
function compacted(log: readonly LogRecord[], stays: () => boolean): readonly LogRecord[] {
  const last = new Map(log.map(({ key, offset }) => [key, offset]));
  return log.filter(({ key, offset, value }) => {
    if (last.get(key) !== offset || value.length === 0) return stays();
    return true;
  });
}

/** What the last records of the keys say: with nothing that was cleared. */
const heldBy = (log: readonly LogRecord[]) =>
  keys.map((key) => {
    const last = log.findLast((record) => record.key === keyOf(view, key).toString());
    const said = last && changeOf(last, 1).said;
    return said?.kind === "row" ? shown(said.row) : undefined;
  });

const shown = ({ eventTimeMs, body }: Row) => ({ eventTimeMs, body: body.toString() });

const rowsOf = (table: Table) =>
  keys.map((key) => {
    const found = table.row(keyOf(view, key));
    return found && shown(found);
  });

/** The slow way: of the rows of the newest generation the newest, by sorting all. */
function slowly(log: readonly LogRecord[]) {
  const changes = log.map((record) => changeOf(record, 1));
  const newest = newestOf(log);
  return keys.map((key) => {
    const rows = changes.flatMap(({ key: of, said }) =>
      said.kind === "row" && of.equals(keyOf(view, key)) && said.row.generation === newest
        ? shown(said.row)
        : [],
    );
    const order = (one: { eventTimeMs: number; body: string }): string =>
      `${one.eventTimeMs}${one.body}`;
    return rows.sort((a, b) => (order(a) < order(b) ? -1 : 1)).at(-1);
  });
}
