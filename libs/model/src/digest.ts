import { createHash } from "node:crypto";
import { slicesInTurns } from "@heddle/base";
import { bytesOf } from "@heddle/tensor";

/** The trained numbers of a model. */
export interface ModelTensors {
  /** Dense parameters by name, row-major. */
  readonly dense: Readonly<Record<string, Float32Array>>;
  /** Rows of the embedding table, ascending by id, shape [rows]. */
  readonly ids: BigUint64Array;
  /** shape [rows, 1 + dimension]. */
  readonly values: Float32Array;
}

/** Hashed in a fifth of a millisecond. */
const sliceBytes = 256 << 10;

/**
 * SHA-256 over all tensors in canonical order: dense parameters by name, then ids, then rows. It takes a second for each GiB or so, in
 * slices: who shares its thread, as requests of a model server do, waits for none longer than for one of them.
 */
export async function memoryDigest({ dense, ids, values }: ModelTensors): Promise<string> {
  const hash = createHash("sha256");
  const add = async (name: string, tensor: Float32Array | BigUint64Array): Promise<void> => {
    hash.update(`${name}:${tensor.length}\n`);
    for await (const slice of slicesInTurns(bytesOf(tensor), sliceBytes)) hash.update(slice);
  };
  for (const name of Object.keys(dense).sort()) await add(name, dense[name] as Float32Array);
  await add("ids", ids);
  await add("rows", values);
  return hash.digest("hex");
}
