import { HeddleError } from "@heddle/base";
import { conditionOf } from "@heddle/feature-engine";
import type { Slice } from "@heddle/sdk";
import { type ExampleBatch, textsOf } from "@heddle/transform";

/**
 * One slice of the definition, as codes of rows: a `by` slice has a code for each value it has met,
 * a `where` slice has code 0 for the rows within. −1 is no part of it.
 */
export interface Slicer {
  /** Raw features it reads. */
  readonly features: readonly string[];
  /** Codes of the batch's rows, shape [rows]; they mean the same for all batches. */
  codes(batch: ExampleBatch): Int32Array;
  /** Values met so far: the value of code i at place i. Empty for a `where` slice. */
  met(): readonly string[];
  /** The name of a code's slice, `discounted` or `department=GROCERY`, as manifests have it. */
  nameOf(code: number): string;
}

/** Slices that exclude one another, and where each row belongs. */
export interface SliceGroup {
  readonly names: readonly string[];
  /** Code of the slicer → position in `names`; −1 or beyond the end for codes that are not measured. */
  readonly places: Int32Array;
}

/** @param met values that another slicer of this slice has met: their codes are the same here. */
export function openSlicer(slice: Slice, met: readonly string[] = []): Slicer {
  const { by, name } = slice;
  return by === undefined ? whereSlicer(slice) : bySlicer(name, by, met);
}

function whereSlicer({ name, where = [] }: Slice): Slicer {
  return {
    features: where.map(({ column }) => column),
    codes: (batch) => {
      const holds = conditionOf(batch, where);
      const codes = new Int32Array(batch.rows);
      for (let row = 0; row < codes.length; row++) codes[row] = holds(row) ? 0 : -1;
      return codes;
    },
    met: () => [],
    nameOf: () => name,
  };
}

function bySlicer(name: string, by: string, met: readonly string[]): Slicer {
  const known = new Map(met.map((value, code) => [value, code]));
  const codeOf = (value: string): number => {
    const code = known.get(value) ?? known.size;
    known.set(value, code);
    return code;
  };
  return {
    features: [by],
    codes: ({ features }) => {
      const column = features[by];
      if (column?.type !== "category") throw notCategory(name, by);
      const codes = Int32Array.from(textsOf(column.dictionary), codeOf);
      // Null is a value of its own, the empty one.
      const none = codeOf("");
      const placed = new Int32Array(column.codes.length);
      for (let row = 0; row < placed.length; row++) {
        placed[row] = codes[column.codes[row] as number] ?? none;
      }
      return placed;
    },
    met: () => [...known.keys()],
    nameOf: (code) => `${name}=${[...known.keys()][code] ?? ""}`,
  };
}

/** The slices with the most positives among the given rows, at most `valuesMax`. */
export function chooseSlices(
  slicer: Slicer,
  codes: Int32Array,
  label: Float32Array,
  valuesMax: number,
): SliceGroup {
  const positives = new Map<number, number>();
  codes.forEach((code, row) => {
    if (code < 0) return;
    positives.set(code, (positives.get(code) ?? 0) + (label[row] as number));
  });
  const chosen = [...positives]
    .sort(([a, one], [b, other]) => other - one || a - b)
    .slice(0, valuesMax)
    .map(([code]) => code);
  const places = new Int32Array(Math.max(0, ...chosen.map((code) => code + 1))).fill(-1);
  chosen.forEach((code, place) => (places[code] = place));
  return { names: chosen.map((code) => slicer.nameOf(code)), places };
}

/** All rows, as one slice without a name. */
export const allRows: SliceGroup = { names: [""], places: Int32Array.of(0) };

function notCategory(slice: string, feature: string): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "SLICE_NOT_CATEGORY",
    `slice ${slice} is by "${feature}", which is no category feature of the dataset: name one, or give conditions as "where"`,
  );
}
