import { packBfloat16, unpackBfloat16 } from "@heddle/kernels";
import { RowFormat } from "@heddle/proto/parameter-server";
import { bytesOf, float32Of, uint16Of } from "@heddle/tensor";
import type { Memory } from "./shard-layout.ts";
import type { RunDeclaration } from "./wire.ts";

type Table = Pick<RunDeclaration["tables"][number], "wire">;

/** As calls name it. */
export const formatOf = ({ wire }: Table): RowFormat =>
  wire === "bfloat16" ? RowFormat.BFLOAT16 : RowFormat.UNSPECIFIED;

/** A table's gradients as they travel, in their own memory. */
export const toWire = ({ wire }: Table, gradients: Float32Array): Uint8Array =>
  bytesOf(wire === "bfloat16" ? packBfloat16(gradients) : gradients);

/** A table's rows as they came, where that is float32, else in memory of the caller's. */
export function fromWire({ wire }: Table, bytes: Uint8Array, memory: Memory): Float32Array {
  if (wire !== "bfloat16") return float32Of(bytes);
  const halves = uint16Of(bytes);
  const rows = memory(halves.length);
  unpackBfloat16(halves, rows);
  return rows;
}
