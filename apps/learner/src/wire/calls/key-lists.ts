import { bigUint64Of } from "@heddle/tensor";
import type { Pool } from "@heddle/lane";
import type { Part, ShardLayout } from "../shard/shard-layout.ts";

/** Lists of ids, each split over the shards. */
export interface KeyLists {
  /**
   * Runs a call with the parts of a list. A step pulls and pushes the same ids: they are split once, and each shard hears them once.
   *
   * @param isLast the step needs them no more once this call has succeeded.
   */
  with<T>(
    ids: BigUint64Array,
    call: (parts: readonly Part[]) => Promise<T>,
    isLast?: boolean,
  ): Promise<T>;
}

/** A list, and who uses it. */
interface List {
  readonly parts: readonly Part[];
  /** Where its ids lie, when they are copied. */
  readonly memory: Uint8Array<ArrayBuffer> | undefined;
  calls: number;
  /** A call that failed may still be on its way out: the memory is not used again. */
  failed: boolean;
  over: boolean;
}

/** @param pool where ids are copied that anything carries, for they may still be on their way when the batch's memory is used again. */
export function openKeyLists(layout: ShardLayout, pool: Pool | undefined): KeyLists {
  const known = new WeakMap<BigUint64Array, List>();
  const open = (ids: BigUint64Array): List => {
    const memory = pool?.take(ids.byteLength);
    const own = memory === undefined ? ids : bigUint64Of(memory);
    if (memory !== undefined) own.set(ids);
    const list = { parts: layout.split(own), memory, calls: 0, failed: false, over: false };
    known.set(ids, list);
    return list;
  };
  const close = (ids: BigUint64Array, { memory, failed }: List): void => {
    known.delete(ids);
    if (memory !== undefined && !failed) pool?.give(memory);
  };
  return {
    with: async (ids, call, isLast = false) => {
      const list = known.get(ids) ?? open(ids);
      list.calls += 1;
      try {
        const answer = await call(list.parts);
        list.over ||= isLast;
        return answer;
      } catch (error) {
        list.failed = true;
        throw error;
      } finally {
        list.calls -= 1;
        if (list.over && list.calls === 0) close(ids, list);
      }
    },
  };
}
