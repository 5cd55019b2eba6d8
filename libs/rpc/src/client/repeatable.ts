import type { DescMethod } from "@bufbuild/protobuf";
import { type AnyMessage, streamsIn } from "../method.ts";

/**
 * Whether a call may be made again when nobody knows what became of it. It may when its `request_id` tells a repeat from a new intent,
 * and where the contract has none: what only reads, and what done twice is done once (`repeatable.test.ts` lists these). What streams in
 * is used up by its first try.
 */
export function isRepeatable(method: DescMethod, request: AnyMessage): boolean {
  if (streamsIn(method)) return false;
  return method.input.field["requestId"] === undefined || Boolean(request?.requestId);
}
