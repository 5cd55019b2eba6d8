import { sha256 } from "@heddle/base";
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

/** SHA-256 over all tensors in canonical order: dense parameters by name, then ids, then rows. */
export function memoryDigest({ dense, ids, values }: ModelTensors): string {
  const names = Object.keys(dense).sort();
  const parts = names.flatMap((name) => {
    const tensor = dense[name] as Float32Array;
    return [`${name}:${tensor.length}\n`, bytesOf(tensor)];
  });
  return sha256(
    ...parts,
    `ids:${ids.length}\n`,
    bytesOf(ids),
    `rows:${values.length}\n`,
    bytesOf(values),
  );
}
