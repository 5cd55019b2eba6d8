import type { TensorData } from "../port.ts";

/** A graph in memory, ready to run. */
export interface Session {
  run(
    inputs: Readonly<Record<string, TensorData>>,
    rows: number,
    /** Where outputs of these names are written. */
    into?: Readonly<Record<string, Float32Array>>,
  ): Promise<Record<string, Float32Array>>;
  /** Waits for runs under way, then frees the graph; doing so twice is harmless. */
  close(): Promise<void>;
}
