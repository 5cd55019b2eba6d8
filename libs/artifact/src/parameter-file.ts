import type { TableRows } from "@heddle/kernels";
import { decodeTensors, encodeTensors, type Tensor, tensorOf, type Tensors } from "@heddle/tensor";

/** A dense parameter with its optimiser slots. */
export interface DenseState {
  /** shape [values]. */
  readonly values: Float32Array;
  /** shape [values × slots per value]. */
  readonly slots: Float32Array;
}

/** Parameters and optimiser slots of a run at one step: of one shard, or of all of them. */
export interface ParameterState {
  /** Rows by table, ascending by id. */
  readonly tables: Readonly<Record<string, TableState>>;
  /** Dense parameters by name. */
  readonly dense: Readonly<Record<string, DenseState>>;
  /** The push after which it stands, counted as the rows' versions are; where a table's rows expire. */
  readonly clock?: number;
}

/** With the rows' versions where they expire, and only there. */
export interface TableState extends TableRows {
  /** float32 values a row. */
  readonly dimension: number;
}

/**
 * The state as one checksummed file. Equal states give equal bytes, whatever was done to reach them.
 */
export function encodeParameters(state: ParameterState): Uint8Array {
  const tensors: Record<string, Tensor> = {};
  const { clock } = state;
  if (clock !== undefined) {
    tensors["clock"] = { dtype: "uint64", shape: [1], data: BigUint64Array.of(BigInt(clock)) };
  }
  for (const [name, table] of Object.entries(state.tables)) {
    const { ids, values, slots, versions, dimension } = table;
    const rows = ids.length;
    const slotWidth = rows === 0 ? 0 : slots.length / rows;
    tensors[`table/${name}/ids`] = { dtype: "uint64", shape: [rows], data: ids };
    tensors[`table/${name}/values`] = float32([rows, dimension], values);
    tensors[`table/${name}/slots`] = float32([rows, slotWidth], slots);
    if (versions === undefined) continue;
    const { buffer, byteOffset } = versions;
    const data = new Int32Array(buffer, byteOffset, rows);
    tensors[`table/${name}/versions`] = { dtype: "int32", shape: [rows], data };
  }
  for (const [name, { values, slots }] of Object.entries(state.dense)) {
    tensors[`dense/${name}/values`] = float32([values.length], values);
    tensors[`dense/${name}/slots`] = float32([slots.length], slots);
  }
  return encodeTensors(tensors);
}

/**
 * Reads what `encodeParameters` wrote; the arrays are views of `bytes`.
 *
 * @throws {HeddleError} DATA_LOSS TENSOR_FILE_CORRUPT.
 */
export async function decodeParameters(bytes: Uint8Array): Promise<ParameterState> {
  const tensors = await decodeTensors(bytes);
  const tables: Record<string, TableState> = {};
  const dense: Record<string, DenseState> = {};
  for (const path of Object.keys(tensors)) {
    const [, kind, name, part] = /^(table|dense)\/(.+)\/([a-z]+)$/.exec(path) ?? [];
    if (name === undefined || part !== "values") continue;
    if (kind === "table") tables[name] = readTable(tensors, name);
    else dense[name] = readDense(tensors, name);
  }
  const clock = tensors["clock"] && tensorOf(tensors, "clock", "uint64").data[0];
  return { tables, dense, ...(clock === undefined ? {} : { clock: Number(clock) }) };
}

function readTable(tensors: Tensors, name: string): TableState {
  const values = tensorOf(tensors, `table/${name}/values`, "float32");
  const path = `table/${name}/versions`;
  const saved = tensors[path] && tensorOf(tensors, path, "int32").data;
  const versions = saved && new Uint32Array(saved.buffer, saved.byteOffset, saved.length);
  return {
    ids: tensorOf(tensors, `table/${name}/ids`, "uint64").data,
    values: values.data,
    slots: tensorOf(tensors, `table/${name}/slots`, "float32").data,
    dimension: values.shape[1] ?? 0,
    ...(versions && { versions }),
  };
}

function readDense(tensors: Tensors, name: string): DenseState {
  return {
    values: tensorOf(tensors, `dense/${name}/values`, "float32").data,
    slots: tensorOf(tensors, `dense/${name}/slots`, "float32").data,
  };
}

const float32 = (shape: readonly number[], data: Float32Array): Tensor => ({
  dtype: "float32",
  shape,
  data,
});
