import type { OrderedRows } from "./rows.ts";
import type { SizeOutcome } from "./train-size.ts";

/** A size that was asked for and not trained. */
export interface NotTried {
  readonly batchSize: number;
  readonly why: string;
}

/** Sizes in ascending order, the definition's own among them. One above all partitions would train the batches of a smaller one. */
export function sizesToTry(
  asked: readonly number[],
  own: number,
  trained: readonly OrderedRows[],
): { readonly sizes: readonly number[]; readonly notTried: readonly NotTried[] } {
  const most = Math.max(...trained.map(({ rows }) => rows));
  const all = [...new Set([...asked, own])].sort((a, b) => a - b);
  const fits = (size: number): boolean => size <= most || size === own;
  const why = `the largest partition has ${most} rows to train, and a batch lies in one partition`;
  return {
    sizes: all.filter(fits),
    notTried: all.filter((size) => !fits(size)).map((batchSize) => ({ batchSize, why })),
  };
}

interface Tried {
  readonly training: { readonly batchSize: number };
  readonly outcome: SizeOutcome;
}

/** Why a size is not tried: by what the last two needed, a line through them passes the limit. Undefined when it does not. */
export function tooMuchFor(
  batchSize: number,
  tried: readonly Tried[],
  residentBytesMax: number,
): NotTried | undefined {
  const known = tried.flatMap(({ training, outcome }) =>
    outcome.kind === "trained" ? [{ size: training.batchSize, bytes: outcome.residentBytes }] : [],
  );
  const [before, last] = known.slice(-2);
  if (before === undefined || last === undefined) return undefined;
  const slope = Math.max(0, last.bytes - before.bytes) / (last.size - before.size);
  const needed = last.bytes + slope * (batchSize - last.size);
  if (needed <= residentBytesMax) return undefined;
  const [need, most] = [needed, residentBytesMax].map((bytes) => Math.ceil(bytes / 2 ** 20));
  return {
    batchSize,
    why: `it would need about ${need} MiB of memory, above the limit of ${most}`,
  };
}
