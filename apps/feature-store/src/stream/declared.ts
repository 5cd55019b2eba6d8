import { HeddleError } from "@heddle/base";
import type { SourceDefinition, Stream } from "@heddle/sdk";
import { sourceOf } from "../ingest/ingest.ts";
import type { FeatureStoreStore } from "../store.ts";

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

/** The streams of sources by name. */
export interface Streams {
  /** @throws {HeddleError} INVALID_ARGUMENT UNKNOWN_SOURCE; FAILED_PRECONDITION NO_STREAM. */
  of(source: string): Promise<Stream>;
}

/** Looks for each source once: what is applied never changes, and its document, which names all its segments, may have a mebibyte. */
export function openStreams(store: FeatureStoreStore): Streams {
  const known = new Map<string, Stream>();
  return {
    of: async (source) => {
      const stream =
        known.get(source) ??
        streamOf((await sourceOf(store, source, "the stream")).state.definition);
      known.set(source, stream);
      return stream;
    },
  };
}
