import { HeddleError } from "@heddle/base";
import { halvesOf } from "@heddle/kernels";

/**
 * The ids whose rows a caller wants, in their order.
 *
 * @param held a bit for each id, the first one's the least of the first byte, set where the caller has the row already; empty when it wants all.
 * @throws {HeddleError} INVALID_ARGUMENT WRONG_SIZE when the bits are not one for each id.
 */
export function wantedOf(ids: BigUint64Array, held: Uint8Array): BigUint64Array {
  if (held.length === 0) return ids;
  const spare = held.length * 8 - ids.length;
  const last = held.at(-1) ?? 0;
  // Bits behind the last id are zero, so that one set of rows has one form.
  if (spare < 0 || spare > 7 || last >> (8 - spare) !== 0) throw wrongBits(held, ids);
  const wanted = new BigUint64Array(ids.length);
  const [from, to] = [halvesOf(ids), halvesOf(wanted)];
  let count = 0;
  for (let i = 0; i < ids.length; i++) {
    if ((((held[i >> 3] as number) >> (i & 7)) & 1) === 1) continue;
    to[2 * count] = from[2 * i] as number;
    to[2 * count + 1] = from[2 * i + 1] as number;
    count += 1;
  }
  return wanted.subarray(0, count);
}

function wrongBits(held: Uint8Array, ids: BigUint64Array): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "WRONG_SIZE",
    `${held.length} bytes do not say of ${ids.length} ids which rows the caller has: send a bit for each, and zeros up to a whole byte`,
  );
}
