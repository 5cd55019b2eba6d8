import type { CategoryColumn, Column, ExampleBatch } from "@heddle/transform";
import type { NumberItems } from "./vectors.ts";

/** A feature as it is read: its place among the selected columns, and what its values mean. */
export interface ReadFeature {
  readonly name: string;
  readonly type: Column["type"];
  readonly index: number;
  /** Place of the column that says which values are not null; absent when none is null. */
  readonly validIndex?: number;
  /** Of a category. */
  readonly dictionary: readonly string[];
}

export interface ReadLayout {
  readonly features: readonly ReadFeature[];
  readonly visit: number;
  readonly time: number;
  readonly label: number;
  readonly weight: number;
}

type Growing = Float64Array | Float32Array | Int32Array | Uint8Array;

interface Buffer {
  readonly index: number;
  values: Growing;
}

/** Rows gathered from vectors until they are handed out. */
export interface Piece {
  readonly rows: number;
  append(vector: (index: number) => NumberItems, rows: number): void;
  /** Where the last visit begins; 0 when all rows are of one visit. */
  lastVisitStart(): number;
  /** The first `rows` as a batch with arrays of its own, and a new piece with the others. */
  split(rows: number): { readonly done: ExampleBatch; readonly rest: Piece };
}

export function startPiece(layout: ReadLayout, capacity: number): Piece {
  const of = (index: number, values: Growing): Buffer => ({ index, values });
  const visit = of(layout.visit, new Int32Array(capacity));
  const time = of(layout.time, new Float64Array(capacity));
  const label = of(layout.label, new Float32Array(capacity));
  const weight = of(layout.weight, new Float32Array(capacity));
  const values = layout.features.map((f) =>
    of(f.index, f.type === "category" ? new Int32Array(capacity) : new Float64Array(capacity)),
  );
  const valid = layout.features.map((f) =>
    f.validIndex === undefined ? undefined : of(f.validIndex, new Uint8Array(capacity)),
  );
  const all = [visit, time, label, weight, ...values, ...valid].filter((b) => b !== undefined);
  let used = 0;
  let room = capacity;
  const grow = (rows: number): void => {
    while (room < rows) room = Math.max(rows, room * 2);
    for (const buffer of all) {
      const wider = new (buffer.values.constructor as new (length: number) => Growing)(room);
      wider.set(buffer.values.subarray(0, used));
      buffer.values = wider;
    }
  };
  const cut = <T extends Growing>(buffer: Buffer, to: number): T =>
    (to === buffer.values.length ? buffer.values : buffer.values.slice(0, to)) as T;
  return {
    get rows() {
      return used;
    },
    append: (vector, rows) => {
      if (used + rows > room) grow(used + rows);
      for (const buffer of all)
        buffer.values.set(vector(buffer.index).subarray(0, rows) as never, used);
      used += rows;
    },
    lastVisitStart: () => {
      let start = used - 1;
      while (start > 0 && visit.values[start - 1] === visit.values[used - 1]) start -= 1;
      return start;
    },
    split: (rows) => {
      const rest = startPiece(layout, rows === used ? 0 : capacity);
      const left = used - rows;
      if (left > 0) rest.append((index) => present(all, index).values.subarray(rows, used), left);
      const features: Record<string, Column> = {};
      layout.features.forEach((feature, i) => {
        const own = values[i] as Buffer;
        features[feature.name] = columnOf(feature, cut(own, rows), valid[i] && cut(valid[i], rows));
      });
      const done: ExampleBatch = {
        rows,
        exampleTimeMs: cut<Float64Array>(time, rows),
        features,
        label: cut<Float32Array>(label, rows),
        weight: cut<Float32Array>(weight, rows),
        visit: cut<Int32Array>(visit, rows),
      };
      return { done, rest };
    },
  };
}

function columnOf(
  { type, dictionary }: ReadFeature,
  values: Growing,
  valid: Growing | undefined,
): Column {
  if (type === "category") {
    return { type, dictionary, codes: values as Int32Array } satisfies CategoryColumn;
  }
  const column = { type, values: values as Float64Array };
  return valid === undefined ? column : { ...column, valid: valid as Uint8Array };
}

function present(buffers: readonly Buffer[], index: number): Buffer {
  const found = buffers.find((buffer) => buffer.index === index);
  if (found === undefined) throw new RangeError(`no column ${index}`);
  return found;
}
