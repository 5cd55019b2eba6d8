import type { PullRequest, PushRequest } from "@heddle/proto/parameter-server";
import { bigUint64Of, float32Of } from "@heddle/tensor";
import { wantedOf } from "./held-rows.ts";
import type { KeyLists } from "./key-lists.ts";
import { decodeRows, encodeRows } from "./row-format.ts";
import type { Room, Shard } from "../shard.ts";
import type { StepPart } from "../course/step-part.ts";

/**
 * The rows that a pull asks for, by table.
 *
 * @throws {HeddleError} UNKNOWN_TABLE, UNKNOWN_KEY_LIST, KEY_LIST_DIFFERS, WRONG_SIZE, UNKNOWN_ROW_FORMAT.
 */
export function pulledRows(
  { tables, keyList, ids }: PullRequest,
  shard: Shard,
  keyLists: KeyLists,
  room: Room | undefined,
): Uint8Array[] {
  const shared = keyLists.of(keyList, bigUint64Of(ids));
  return tables.map(({ table, ids: own, held, format }) => {
    const wanted = wantedOf(idsOf(own, shared), held);
    return encodeRows(shard.pull(table, wanted, room), wanted.length, format);
  });
}

/**
 * What a push brings; its gradients are good until the push is answered or its caller has gone.
 *
 * @throws {HeddleError} UNKNOWN_KEY_LIST, KEY_LIST_DIFFERS, WRONG_SIZE, UNKNOWN_ROW_FORMAT.
 */
export function pushedPart(
  { microBatch, tables, dense, keyList, ids, lossSum, learnerCpuSeconds }: PushRequest,
  keyLists: KeyLists,
  room: Room | undefined,
): StepPart {
  const shared = keyLists.of(keyList, bigUint64Of(ids));
  return {
    ...{ microBatch, lossSum, learnerCpuSeconds, dense: float32Of(dense) },
    tables: tables.map(({ table, ids: own, gradients, format }) => {
      const pushed = idsOf(own, shared);
      return { table, ids: pushed, gradients: decodeRows(gradients, pushed.length, format, room) };
    }),
  };
}

/** A table's own ids, or those that the call names for all. */
const idsOf = (own: Uint8Array, shared: BigUint64Array): BigUint64Array =>
  own.length === 0 ? shared : bigUint64Of(own);
