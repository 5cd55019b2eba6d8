import { HeddleError } from "@heddle/base";
import { keyListName } from "@heddle/kernels";

/** Lists of ids that calls brought, so that later calls can do with their names. The least recently used go first. */
export interface KeyLists {
  /**
   * The ids that a call counts on; those it brings are copied.
   *
   * @param name 0 names none: then the ids are only the call's own.
   * @returns the ids given, or a list that does not change any more.
   * @throws {HeddleError} FAILED_PRECONDITION UNKNOWN_KEY_LIST; INVALID_ARGUMENT KEY_LIST_DIFFERS.
   */
  of(name: bigint, ids: BigUint64Array): BigUint64Array;
  readonly bytes: number;
}

/** Some hundred lists of a step: a list is wanted until its step is applied, and those steps are few. */
const keyListBytesMax = 32 << 20;

/** @param bytesMax of the lists kept; one that is larger by itself is not kept. */
export function openKeyLists(bytesMax: number = keyListBytesMax): KeyLists {
  const lists = new Map<bigint, BigUint64Array>();
  let bytes = 0;

  /** A list's memory is not used again: a push that waits for the rest of its step may still count on it. */
  const keep = (name: bigint, ids: BigUint64Array): void => {
    if (ids.byteLength > bytesMax) return;
    for (const [oldest, { byteLength }] of lists) {
      if (bytes + ids.byteLength <= bytesMax) break;
      lists.delete(oldest);
      bytes -= byteLength;
    }
    lists.set(name, ids.slice());
    bytes += ids.byteLength;
  };
  return {
    get bytes() {
      return bytes;
    },
    of: (name, ids) => {
      if (name === 0n) return ids;
      const known = lists.get(name);
      if (ids.length === 0) {
        if (known === undefined) throw unknownKeyList(name);
        lists.delete(name);
        lists.set(name, known);
        return known;
      }
      if (known !== undefined && known.length === ids.length) return ids;
      if (keyListName(ids) !== name) throw keyListDiffers(name, ids.length);
      keep(name, ids);
      return ids;
    },
  };
}

function unknownKeyList(name: bigint): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "UNKNOWN_KEY_LIST",
    `this shard has no list of ids ${name.toString(16)} (any more); send the call again with its ids`,
    { metadata: { keyList: String(name) } },
  );
}

function keyListDiffers(name: bigint, ids: number): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "KEY_LIST_DIFFERS",
    `the list of ${ids} ids is not the one that ${name.toString(16)} names: a list's name is the first 8 bytes of its SHA-256`,
  );
}
