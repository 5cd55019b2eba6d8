import { isHeddleError } from "@heddle/base";
import { bytesOf } from "@heddle/tensor";
import type { Part } from "../shard/shard-layout.ts";
import type { Traffic } from "../traffic.ts";

/** How a call speaks of its ids. */
interface List {
  readonly keyList: bigint;
  readonly ids?: Uint8Array;
}

/** Names the ids of a call where the shard has them already, and sends them where it has not (any more). */
export async function naming<T>(
  part: Part,
  traffic: Traffic,
  direction: "pulled" | "pushed",
  tables: number,
  send: (list: List) => Promise<T>,
): Promise<T> {
  const { name, ids } = part;
  const spared = ids.byteLength * tables;
  if (part.known) {
    try {
      const answer = await send({ keyList: name });
      traffic.spare("ids", spared);
      return answer;
    } catch (error) {
      if (!isHeddleError(error, "UNKNOWN_KEY_LIST")) throw error;
    }
  }
  const answer = await send({ keyList: name, ids: bytesOf(ids) });
  part.known = name !== 0n;
  traffic.add(direction, ids.byteLength);
  traffic.spare("ids", spared - ids.byteLength);
  return answer;
}
