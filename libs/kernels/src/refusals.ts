import { HeddleError } from "@heddle/base";
import { halvesOf } from "./ids/ids.ts";
import { checkLength } from "./gradients.ts";
import type { TableRows, TableSpec } from "./port.ts";

/** @throws {HeddleError} RESOURCE_EXHAUSTED TABLE_FULL. */
export function refuseBeyond(rows: number, rowsMax: number, what: string): void {
  if (rows <= rowsMax) return;
  throw new HeddleError(
    "RESOURCE_EXHAUSTED",
    "TABLE_FULL",
    `${what} of at most ${rowsMax} rows would hold ${rows}; nothing was applied: use more shards, raise their limit, or hash its inputs into fewer ids`,
    { metadata: { rowsMax: String(rowsMax) } },
  );
}

/**
 * A table's saved form must be its own: sizes right, ids ascending without repetition.
 *
 * @throws {HeddleError} INVALID_ARGUMENT WRONG_SIZE, ROWS_NOT_ASCENDING.
 */
export function checkRows(saved: TableRows, dimension: number, slotWidth: number): void {
  const rows = saved.ids.length;
  checkLength(saved.values.length, saved.ids.length * dimension, "the values of saved rows");
  checkLength(saved.slots.length, saved.ids.length * slotWidth, "the slots of saved rows");
  checkLength(saved.versions?.length ?? rows, rows, "the versions of saved rows");
  const halves = halvesOf(saved.ids);
  for (let i = 2; i < halves.length; i += 2) {
    const high = halves[i + 1] as number;
    const highBefore = halves[i - 1] as number;
    const low = halves[i] as number;
    if (high > highBefore || (high === highBefore && low > (halves[i - 2] as number))) continue;
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "ROWS_NOT_ASCENDING",
      `row ${i / 2} of saved rows does not follow the one before it: ids must ascend without repetition, as snapshot() gives them`,
    );
  }
}

/** The refusal of a table whose memory is full. */
export function noMemory(rows: number, pages: number): HeddleError {
  return new HeddleError(
    "RESOURCE_EXHAUSTED",
    "TABLE_FULL",
    `a table's memory of at most ${pages / 16} MiB does not hold ${rows} rows, or the machine has no more; nothing was applied: use more shards, or hash its inputs into fewer ids`,
    { metadata: { rows: String(rows) } },
  );
}

/** @throws {HeddleError} FAILED_PRECONDITION NO_VERSIONS for a table that keeps none. */
export function needVersions(kept: boolean | undefined): void {
  if (kept === true) return;
  throw new HeddleError(
    "FAILED_PRECONDITION",
    "NO_VERSIONS",
    "the table keeps no version a row, so it cannot say which rows changed: declare it with versions",
  );
}

/**
 * What a push may bring as its version: what changed after a version is asked later.
 *
 * @param newest version so far.
 * @throws {HeddleError} INVALID_ARGUMENT VERSION_INVALID.
 */
export function checkVersion(version: number | undefined, newest: number, spec: TableSpec): void {
  if (spec.versions !== true && spec.admission === undefined) return;
  if (version !== undefined && version >= newest && version <= versionMax && version % 1 === 0) {
    return;
  }
  throw new HeddleError(
    "INVALID_ARGUMENT",
    "VERSION_INVALID",
    `a push has version ${version}, expected a whole number from ${newest}, the push before, to ${versionMax}; nothing was applied: number pushes in their order`,
    { metadata: { newest: String(newest) } },
  );
}

/** The two above it are marks of the kernel. */
const versionMax = 2 ** 32 - 3;

/**
 * What a table cannot do whatever is pushed.
 *
 * @throws {HeddleError} FAILED_PRECONDITION NO_VERSIONS for an expiry without versions.
 */
export function checkSpec({ expiry, versions }: TableSpec): void {
  if (expiry !== undefined) needVersions(versions);
}

/** @throws {HeddleError} FAILED_PRECONDITION TABLE_FROZEN when there is a view. */
export function refuseFrozen(frozen: boolean, what: string): void {
  if (!frozen) return;
  throw new HeddleError(
    "FAILED_PRECONDITION",
    "TABLE_FROZEN",
    `${what} while the table has a frozen view: read that to its end and release it first`,
  );
}
