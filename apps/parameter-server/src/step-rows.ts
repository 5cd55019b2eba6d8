import type { PullRequest, PushRequest } from "@heddle/proto/parameter-server";
import { bigUint64Of, bytesOf, float32Of } from "@heddle/tensor";
import type { KeyLists } from "./key-lists.ts";
import type { Room, Shard } from "./shard.ts";
import type { StepPart } from "./course/step-part.ts";

/**
 * The rows that a pull asks for, by table.
 *
 * @throws {HeddleError} UNKNOWN_TABLE, UNKNOWN_KEY_LIST, KEY_LIST_DIFFERS, WRONG_SIZE.
 */
export function pulledRows(
  { tables, keyList, ids }: PullRequest,
  shard: Shard,
  keyLists: KeyLists,
  room: Room | undefined,
): Uint8Array[] {
  const shared = keyLists.of(keyList, bigUint64Of(ids));
  return tables.map((wanted) => bytesOf(shard.pull(wanted.table, idsOf(wanted.ids, shared), room)));
}

/**
 * What a push brings; its gradients are good until the push is answered or its caller has gone.
 *
 * @throws {HeddleError} UNKNOWN_KEY_LIST, KEY_LIST_DIFFERS, WRONG_SIZE.
 */
export function pushedPart(
  { microBatch, tables, dense, keyList, ids, lossSum, learnerCpuSeconds }: PushRequest,
  keyLists: KeyLists,
): StepPart {
  const shared = keyLists.of(keyList, bigUint64Of(ids));
  return {
    ...{ microBatch, lossSum, learnerCpuSeconds, dense: float32Of(dense) },
    tables: tables.map(({ table, ids: own, gradients }) => ({
      table,
      ids: idsOf(own, shared),
      gradients: float32Of(gradients),
    })),
  };
}

/** A table's own ids, or those that the call names for all. */
const idsOf = (own: Uint8Array, shared: BigUint64Array): BigUint64Array =>
  own.length === 0 ? shared : bigUint64Of(own);
