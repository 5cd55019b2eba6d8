import { hash32 } from "@heddle/base";

/** A written row holds at most so many bytes of values, half of what the online store takes. */
const bucketBytesMax = 32 << 10;

/**
 * Where a key's values lie: keys that begin alike lie together, so that one household's products are
 * a few rows and not thousands; a long row is spread over buckets by a hash of the rest.
 *
 * @param key values of the key's columns as text.
 */
export function bucketKey(
  key: readonly string[],
  buckets: number,
): { readonly row: string; readonly entry: string } {
  const { first, entry } = parted(key);
  return { row: rowName(hash32(entry) % buckets, first), entry };
}

/** Keys and their values, to be spread over rows. */
export interface Packer {
  /** @param json the values, as JSON. */
  add(key: readonly string[], json: string): void;
  /** All keys added, in as few buckets as keep every row within its limit. */
  rows(): Packed;
}

export interface Packed {
  /** How many buckets keys that begin alike are spread over. */
  readonly buckets: number;
  readonly keys: number;
  /** Row → its entries, each `"entry":values`. */
  readonly rows: ReadonlyMap<string, readonly string[]>;
}

export function openPacker(): Packer {
  const firsts = new Map<string, number>();
  const first: number[] = [];
  const hashes: number[] = [];
  const texts: string[] = [];
  const bytes: number[] = [];
  return {
    add: (key, json) => {
      const { first: begins, entry } = parted(key);
      const known = firsts.get(begins) ?? firsts.size;
      firsts.set(begins, known);
      const text = `${JSON.stringify(entry)}:${json}`;
      first.push(known);
      hashes.push(hash32(entry));
      texts.push(text);
      bytes.push(Buffer.byteLength(text) + 1);
    },
    rows: () => {
      const place = (i: number, buckets: number): number =>
        (first[i] as number) * buckets + ((hashes[i] as number) % buckets);
      let buckets = 1;
      for (; buckets < texts.length; buckets *= 2) {
        const sizes = new Float64Array(firsts.size * buckets);
        let largest = 0;
        for (let i = 0; i < texts.length; i++) {
          const at = place(i, buckets);
          const size = (sizes[at] as number) + (bytes[i] as number);
          sizes[at] = size;
          if (size > largest) largest = size;
        }
        if (largest <= bucketBytesMax) break;
      }
      const rows = new Map<string, string[]>();
      const found = new Array<string[] | undefined>(firsts.size * buckets);
      const names = [...firsts.keys()];
      texts.forEach((text, i) => {
        const at = place(i, buckets);
        const entries = found[at];
        if (entries !== undefined) return void entries.push(text);
        const started = [text];
        found[at] = started;
        rows.set(rowName(at % buckets, names[first[i] as number] as string), started);
      });
      return { buckets, keys: texts.length, rows };
    },
  };
}

/** What keys that begin alike share, and the rest. */
function parted(key: readonly string[]): { readonly first: string; readonly entry: string } {
  const [first = "", ...others] = key.length > 1 ? key : ["", ...key];
  return { first, entry: JSON.stringify(others) };
}

const rowName = (bucket: number, first: string): string => `${bucket}/${first}`;
