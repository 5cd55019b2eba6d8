import { type ErrorCode, HeddleError } from "@heddle/base";
import type {
  IngestResult,
  IngestTask,
  MaterialiseTask,
  Materialised,
} from "@heddle/feature-engine";

/** What the service asks of the engine's process. */
export type EngineRequest =
  | { readonly kind: "ingest"; readonly task: IngestTask }
  | { readonly kind: "materialise"; readonly task: MaterialiseTask };

export type EngineResult<R extends EngineRequest> = R extends { readonly kind: "ingest" }
  ? IngestResult
  : Materialised;

export interface EngineCall {
  readonly call: number;
  readonly request: EngineRequest;
}

export interface WireError {
  readonly code: ErrorCode;
  readonly reason: string;
  readonly message: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export type EngineReply =
  | { readonly call: number; readonly result: unknown }
  | { readonly call: number; readonly error: WireError };

/** A HeddleError as it crosses the process border; anything else is a bug and says where it came from. */
export function wireError(error: unknown): WireError {
  if (error instanceof HeddleError) {
    const { code, reason, message, metadata } = error;
    return { code, reason, message, metadata };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: "INTERNAL", reason: "ENGINE_FAILED", message, metadata: {} };
}

export function fromWire({ code, reason, message, metadata }: WireError): HeddleError {
  return new HeddleError(code, reason, message, { metadata });
}
