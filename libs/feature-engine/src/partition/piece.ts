import type { CategoryColumn, Column, Dictionary, ExampleBatch } from "@heddle/transform";
import type { NumberItems } from "./vectors.ts";

/** A feature as it is read: its place among the selected columns, and what its values mean. */
export interface ReadFeature {
  readonly name: string;
  readonly type: Column["type"];
  readonly index: number;
  /** Place of the column that says which values are not null; absent when none is null. */
  readonly validIndex?: number;
  /** Of a category. */
  readonly dictionary: Dictionary;
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
  /** The first rows: views of the piece's memory, which hold until it is changed. */
  first(rows: number): ExampleBatch;
  /** Forgets the first rows. */
  drop(rows: number): void;
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
    first: (rows) => {
      const part = <T extends Growing>(of: Buffer): T => of.values.subarray(0, rows) as T;
      const columns = layout.features.map((feature, i): [string, Column] => {
        const own = valid[i];
        return [
          feature.name,
          columnOf(feature, part(values[i] as Buffer), own === undefined ? own : part(own)),
        ];
      });
      return {
        rows,
        exampleTimeMs: part<Float64Array>(time),
        features: Object.fromEntries(columns),
        label: part<Float32Array>(label),
        weight: part<Float32Array>(weight),
        visit: part<Int32Array>(visit),
      };
    },
    drop: (rows) => {
      for (const buffer of all) buffer.values.copyWithin(0, rows, used);
      used -= rows;
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
