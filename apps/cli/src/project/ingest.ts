import { open } from "node:fs/promises";
import { basename, extname } from "node:path";
import { HeddleError, sha256 } from "@heddle/base";
import type { IngestResponse } from "@heddle/proto/feature-store";
import type { Clients } from "../host/clients.ts";
import { systemError } from "../system-error.ts";

const chunkBytes = 1 << 20;
const timeoutMs = 300_000;
const formats: Readonly<Record<string, string>> = {
  ".parquet": "parquet",
  ".csv": "csv",
  ".jsonl": "jsonl",
  ".ndjson": "jsonl",
};

/** The format that a file's name says; undefined for one that is not known. */
export const formatOf = (file: string): string | undefined => formats[extname(file).toLowerCase()];

interface Destination {
  readonly source: string;
  readonly branch?: string;
  /**
   * Derived from the file's bytes when absent: a story that is told again sends each file once. Someone who sends a file again may mean
   * it: after another one, a reference table goes back to what it was.
   */
  readonly requestId?: string;
}

/** Sends one event file to the feature store. Events that are there already are not added again, whatever the request. */
export async function ingestFile(
  clients: Clients,
  file: string,
  to: Destination,
): Promise<IngestResponse> {
  const format = formatOf(file);
  if (format === undefined) {
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "UNKNOWN_FORMAT",
      `${file}: its format is not known; use .parquet, .csv or .jsonl`,
    );
  }
  const { digest, bytes } = await digestOf(file);
  const header = {
    requestId: to.requestId ?? sha256(to.source, "\0", to.branch ?? "main", "\0", digest),
    source: to.source,
    branch: to.branch ?? "",
    format,
    fileName: basename(file),
    bytes: BigInt(bytes),
  };
  return clients.featureStore.ingest(chunksOf(file, header), { timeoutMs });
}

async function* chunksOf(file: string, header: object) {
  yield { header };
  for await (const chunk of readFile(file)) yield { chunk };
}

/**
 * A file's bytes in pieces.
 *
 * @throws {HeddleError} NOT_FOUND NO_SUCH_FILE, INVALID_ARGUMENT NO_FILE of a folder, and others of `systemError`.
 */
export async function* readFile(file: string): AsyncIterable<Uint8Array> {
  try {
    await using handle = await open(file);
    for (;;) {
      const buffer = new Uint8Array(chunkBytes);
      const { bytesRead } = await handle.read(buffer, 0, chunkBytes);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } catch (error) {
    throw systemError(error, file) ?? error;
  }
}

async function digestOf(file: string) {
  const parts: string[] = [];
  let bytes = 0;
  for await (const chunk of readFile(file)) {
    parts.push(sha256(chunk));
    bytes += chunk.length;
  }
  return { digest: sha256(...parts), bytes };
}
