import type { ColumnBatch } from "@heddle/transform";

/** One file of a model version. */
export interface ModelFile {
  /** `definition`, `dense`, `embeddings`, `transform`, `golden`. */
  readonly role: string;
  readonly object: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** The manifest that names a version: canonical JSON, its SHA-256 is the version. Written after all files it names. */
export interface ModelManifest {
  readonly format: "heddle-model/1";
  readonly model: string;
  readonly run: string;
  readonly configuration: string;
  readonly dataset: string;
  readonly parentVersion: string;
  /** Digest of the tensors as a server holds them in memory. */
  readonly memoryDigest: string;
  /** Share of sampled negatives: predictions are corrected by it. */
  readonly negativeSamplingRate: number;
  /** The last snapshot of the run (weights and optimiser slots): where a warm start begins. */
  readonly snapshot: { readonly object: string; readonly sha256: string; readonly bytes: number };
  readonly files: readonly ModelFile[];
}

/** A loaded version. */
export interface Scorer {
  readonly manifest: ModelManifest;
  readonly version: string;
  /** Raw features it needs. */
  readonly features: readonly string[];
  /** Probabilities, shape [rows], after prior correction, float32. */
  score(batch: ColumnBatch): Promise<Float32Array>;
  /** SHA-256 over the tensors in memory now, in canonical order. */
  memoryDigest(): string;
  /** Scores of the golden inputs computed now, and the recorded ones. */
  golden(): Promise<{ readonly outputs: Float32Array; readonly recorded: Float32Array }>;
  [Symbol.asyncDispose](): Promise<void>;
}
