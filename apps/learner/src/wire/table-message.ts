import type { MessageInitShape } from "@bufbuild/protobuf";
import { type TableSchema, ValueStorage } from "@heddle/proto/parameter-server";
import type { Network } from "../network.ts";
import { optimizerMessage } from "./optimizer-message.ts";

/** A table as a shard is told it. */
export function tableMessage({
  optimizer,
  storage,
  admission,
  // Each call says how its rows travel.
  wire: _wire,
  ...table
}: Network["tables"][number]): MessageInitShape<typeof TableSchema> {
  return {
    ...table,
    // A snapshot is of the rows that changed.
    versions: true,
    optimizer: optimizerMessage(optimizer),
    admissionProbability: admission?.probability ?? 0,
    ...(storage === "bfloat16" ? { storage: ValueStorage.BFLOAT16 } : {}),
  };
}
