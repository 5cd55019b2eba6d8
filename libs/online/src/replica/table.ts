import { type LmdbDatabase, type LmdbEnvironment, openRecord, sealRecord } from "@heddle/store";
import { type Change, viewKeyOf } from "./change.ts";
import { type Aged, judge, judgeGeneration, type Verdict } from "./judge.ts";

/** A replica's rows in LMDB, and how far they are: what is applied and its offset are one write. Views are given by their keys. */
export interface Table {
  /** The row that counts. */
  row(key: Buffer): Aged | undefined;
  generation(view: Buffer): number;
  /** Whether there is any row of a view, if only one that does not count any more. */
  holds(view: Buffer): boolean;
  /** Where it goes on in a partition; undefined where it never was. */
  offset(partition: number): number | undefined;
  /** Applies records of a partition, all or none, up to the one before `next`. */
  apply(partition: number, changes: readonly Change[], next: number): Promise<void>;
  /** The topic that the offsets are of; undefined when they are of none yet. */
  topicId(): string | undefined;
  /** Whether its rows are those of one moment: it held all that the log did when it last began. */
  isWhole(): boolean;
  begin(topicId: string, whole: boolean): Promise<void>;
  readonly marks: Marks;
}

/** What the log has yet to be told, so that it keeps what counts and nothing else. */
interface Marks {
  readonly any: boolean;
  /** Keys whose last record in the log is not the one that counts. */
  unsettled(limit: number): readonly Buffer[];
  /** A view that was cleared and whose old rows may be in the log. */
  cleared(): { readonly view: Buffer; readonly generation: number } | undefined;
  /** Of some rows of a view from `start` on: keys of those that do not count, and where to go on. */
  remains(
    view: Buffer,
    start?: Buffer,
  ): { readonly keys: readonly Buffer[]; readonly next?: Buffer };
  /** No row of a generation before this one is left of the view. */
  swept(view: Buffer, generation: number): Promise<void>;
}

const generationBytes = 4;
const remainsAtOnceMax = 1_000;
const [topicKey, wholeKey] = [Buffer.from("topic"), Buffer.from("whole")];

export function openTable(environment: LmdbEnvironment): Table {
  const rows = environment.database("replica/rows");
  const generations = environment.database("replica/generations");
  const unsettled = environment.database("replica/unsettled");
  const cleared = environment.database("replica/cleared");
  const state = environment.database("replica/state");

  const known = (key: Buffer): Aged | undefined => {
    const sealed = rows.getBinary(key);
    return sealed && agedOf(sealed, key);
  };
  const generation = (view: Buffer): number => numberAt(generations, view) ?? 0;
  const counted = (key: Buffer): Aged | undefined => {
    const row = known(key);
    return row !== undefined && row.generation >= generation(viewKeyOf(key)) ? row : undefined;
  };
  /** Runs inside a write. */
  const applyOne = ({ key, said }: Change): Verdict => {
    const view = viewKeyOf(key);
    if (said.kind === "generation") {
      const verdict = judgeGeneration(said.generation, generation(view));
      if (verdict !== "takes") return verdict;
      generations.putSync(view, sealRecord(said.generation));
      cleared.putSync(view, sealRecord(said.generation));
      return verdict;
    }
    const row = said.kind === "row" ? said.row : undefined;
    const verdict = judge(row, known(key), generation(view));
    if (verdict === "takes") {
      if (row === undefined) rows.removeSync(key);
      else rows.putSync(key, sealedRow(row));
    }
    return verdict;
  };
  return {
    row: counted,
    generation,
    holds: (view) => [...rows.getKeys({ start: view, end: endOf(view), limit: 1 })].length > 0,
    offset: (partition) => numberAt(state, offsetKey(partition)),
    apply: (partition, changes, next) =>
      environment.write(bytesOf(changes), () => {
        for (const change of changes) {
          if (applyOne(change) === "loses") unsettled.putSync(change.key, sealRecord(0));
          else unsettled.removeSync(change.key);
        }
        state.putSync(offsetKey(partition), sealRecord(next));
      }),
    topicId: () => {
      const sealed = state.getBinary(topicKey);
      return sealed && openRecord(sealed, "the replica's topic").body.toString();
    },
    isWhole: () => numberAt(state, wholeKey) === 1,
    begin: (topicId, whole) =>
      environment.write(0, () => {
        state.putSync(topicKey, sealRecord(0, Buffer.from(topicId)));
        state.putSync(wholeKey, sealRecord(whole ? 1 : 0));
      }),
    marks: openMarks(environment, { rows, generation, unsettled, cleared }),
  };
}

function openMarks(
  environment: LmdbEnvironment,
  tables: {
    readonly rows: LmdbDatabase;
    readonly unsettled: LmdbDatabase;
    readonly cleared: LmdbDatabase;
    generation(view: Buffer): number;
  },
): Marks {
  const { rows, unsettled, cleared, generation } = tables;
  const first = (database: LmdbDatabase): Buffer | undefined =>
    [...database.getKeys({ limit: 1 })][0];
  return {
    get any() {
      return (first(unsettled) ?? first(cleared)) !== undefined;
    },
    unsettled: (limit) => [...unsettled.getKeys({ limit })],
    cleared: () => {
      const key = first(cleared);
      return key && { view: key, generation: numberAt(cleared, key) ?? 0 };
    },
    remains: (view, start = view) => {
      const range = { start, end: endOf(view), limit: remainsAtOnceMax };
      const some = [...rows.getRange(range)];
      const now = generation(view);
      const keys = some.filter(({ key, value }) => agedOf(value, key).generation < now);
      const last = some.length === remainsAtOnceMax ? some.at(-1) : undefined;
      const next = last && Buffer.concat([last.key, Buffer.from([0])]);
      return { keys: keys.map(({ key }) => key), ...(next && { next }) };
    },
    swept: (view, before) =>
      environment.write(0, () => {
        if (numberAt(cleared, view) === before) cleared.removeSync(view);
      }),
  };
}

/** Behind all keys of a view. */
const endOf = (view: Buffer): Buffer => Buffer.concat([view.subarray(0, -1), Buffer.from([1])]);

function offsetKey(partition: number): Buffer {
  return Buffer.from(`offset/${partition}`);
}

function sealedRow({ generation, eventTimeMs, body }: Aged): Buffer {
  const head = Buffer.alloc(generationBytes);
  head.writeUInt32LE(generation);
  return sealRecord(eventTimeMs, head, body);
}

function agedOf(sealed: Buffer, key: Buffer): Aged {
  const { number, body } = openRecord(sealed, `online row ${key.toString().replace("\0", " ")}`);
  return {
    generation: body.readUInt32LE(0),
    eventTimeMs: number,
    body: body.subarray(generationBytes),
  };
}

function numberAt(database: LmdbDatabase, key: Buffer): number | undefined {
  const sealed = database.getBinary(key);
  return sealed && openRecord(sealed, `number ${key.toString()} of the replica`).number;
}

/** What a write may add; nothing when it only removes. */
function bytesOf(changes: readonly Change[]): number {
  return changes.reduce(
    (sum, { key, said }) => sum + (said.kind === "row" ? key.length + said.row.body.length : 0),
    0,
  );
}
