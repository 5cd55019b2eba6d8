import type { MessageInitShape } from "@bufbuild/protobuf";
import { type TableSchema, ValueStorage } from "@heddle/proto/parameter-server";
import type { Parameters } from "../../parameters.ts";
import { optimizerMessage } from "./optimizer-message.ts";

/** A table as a shard is told it. */
export function tableMessage({
  optimizer,
  storage,
  admission,
  expiry,
  // Each call says how its rows travel.
  wire: _wire,
  initialDeviation,
  ...table
}: Parameters["tables"][number]): MessageInitShape<typeof TableSchema> {
  return {
    ...table,
    // The message has it in 4 bytes, and shards in this process get no other number than those far away.
    initialDeviation: Math.fround(initialDeviation),
    // A snapshot is of the rows that changed.
    versions: true,
    optimizer: optimizerMessage(optimizer),
    ...admissionMessage(admission),
    expirySteps: expiry?.steps ?? 0,
    ...(storage === "bfloat16" ? { storage: ValueStorage.BFLOAT16 } : {}),
  };
}

function admissionMessage(admission: Parameters["tables"][number]["admission"]) {
  if (admission === undefined) return {};
  if ("count" in admission) return { admissionCount: admission.count };
  return { admissionProbability: admission.probability };
}
