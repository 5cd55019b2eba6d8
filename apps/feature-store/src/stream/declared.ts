import { HeddleError } from "@heddle/base";
import type { SourceDefinition, Stream } from "@heddle/sdk";

/** @throws {HeddleError} FAILED_PRECONDITION NO_STREAM. */
export function streamOf({ name, stream }: SourceDefinition): Stream {
  if (stream !== undefined) return stream;
  throw new HeddleError(
    "FAILED_PRECONDITION",
    "NO_STREAM",
    `source ${name} takes files alone: ingest a file, or declare a source with a stream`,
    { metadata: { source: name } },
  );
}
