import type { ModelDefinition } from "@heddle/sdk";
import type { CodedIds, ColumnBatch, RowMemory } from "@heddle/transform";

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

/** Rows after a model's transforms, as many as go through a model at a time. */
export interface TransformedRows {
  readonly rows: number;
  /** shape [rows, numeric inputs]. */
  readonly numeric: Float32Array;
  /** One for each embedding input. */
  readonly fields: readonly CodedIds[];
}

/** A model in memory, ready to score: `score` and `scoreTogether` do. */
export interface Scoring extends AsyncDisposable {
  /** Raw features it needs. */
  readonly features: readonly string[];
  /** Equal for models whose `transform` gives the same for the same rows. */
  readonly transformKey: string;
  /** @param memory where columns lie on the way; what is returned holds as long as they do. */
  transform(batch: ColumnBatch, from: number, to: number, memory: RowMemory): TransformedRows;
  /** Probabilities, shape [rows], after prior correction, float32. */
  predict(rows: TransformedRows): Promise<Float32Array>;
  /** SHA-256 over the tensors in memory, in canonical order, computed while others on this thread go on. */
  memoryDigest(): Promise<string>;
}

/** A loaded version. */
export interface Scorer extends Scoring {
  readonly manifest: ModelManifest;
  readonly version: string;
  readonly definition: ModelDefinition;
  /** Scores of the golden inputs computed now, and the recorded ones. */
  golden(): Promise<{ readonly outputs: Float32Array; readonly recorded: Float32Array }>;
}
