/** Texts in UTF-8, one behind the other: of the millions that a partition has, most are hashed and nothing else. */
export interface PackedTexts {
  /** How many there are. */
  readonly length: number;
  readonly utf8: Uint8Array;
  /** Where each ends, shape [length]. */
  readonly ends: Uint32Array;
}

/** Distinct values of a category column as text; read them by `textsOf` and `textAt`. */
export type Dictionary = readonly string[] | PackedTexts;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const known = new WeakMap<PackedTexts, readonly string[]>();

/** All texts of a dictionary: made when they are first asked for. */
export function textsOf(dictionary: Dictionary): readonly string[] {
  if (!isPacked(dictionary)) return dictionary;
  const texts = known.get(dictionary) ?? unpacked(dictionary);
  known.set(dictionary, texts);
  return texts;
}

/** One text of a dictionary; undefined where a code has none. */
export function textAt(dictionary: Dictionary, code: number): string | undefined {
  if (!isPacked(dictionary)) return dictionary[code];
  const end = dictionary.ends[code];
  return end === undefined
    ? undefined
    : decoder.decode(dictionary.utf8.subarray(code === 0 ? 0 : dictionary.ends[code - 1], end));
}

export function isPacked(dictionary: Dictionary): dictionary is PackedTexts {
  return !Array.isArray(dictionary);
}

/** Decoded at once and then cut, where a character is a byte: one by one costs ten times more. */
function unpacked(packed: PackedTexts): readonly string[] {
  const { length, utf8, ends } = packed;
  const all = decoder.decode(utf8.subarray(0, ends.at(-1)));
  const cuts = all.length === (ends.at(-1) ?? 0);
  const texts = new Array<string>(length);
  for (let code = 0, start = 0; code < length; code++) {
    const end = ends[code] as number;
    texts[code] = cuts ? all.slice(start, end) : (textAt(packed, code) as string);
    start = end;
  }
  return texts;
}
