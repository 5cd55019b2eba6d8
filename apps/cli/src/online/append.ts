import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { HeddleError, isHeddleError } from "@heddle/base";
import type { Clients } from "../host/clients.ts";
import { formatOf, readFile } from "../project/ingest.ts";

const timeoutMs = 30_000;
const eventsAtOnce = 500;

export interface AppendOptions {
  readonly source: string;
  readonly file: string;
  /** Waits before it tries again, where too many records wait for their window. */
  readonly pause: () => Promise<void>;
}

/**
 * Appends the lines of a JSON lines file to a source's log, and waits where too many records wait there.
 *
 * @returns lines appended.
 * @throws {HeddleError} NOT_FOUND NO_SUCH_FILE; INVALID_ARGUMENT UNKNOWN_FORMAT; and as `AppendEvents`; STREAM_BEHIND only where no windows are cut.
 */
export async function appendFile(
  { featureStore }: Clients,
  { source, file, pause }: AppendOptions,
): Promise<number> {
  // Line by line, a file of another format would be dead letters to the last.
  if (formatOf(file) !== "jsonl") {
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "UNKNOWN_FORMAT",
      `${file}: a stream takes JSON lines, .jsonl or .ndjson; for a file as a whole: heddle ingest ${source} ${file}`,
    );
  }
  let appended = 0;
  let batch: { json: string }[] = [];
  const send = async (): Promise<void> => {
    for (;;) {
      try {
        await featureStore.appendEvents({ source, events: batch }, { timeoutMs });
        break;
      } catch (error) {
        if (!isHeddleError(error, "STREAM_BEHIND")) throw error;
        const { problem } = await featureStore.getStream({ source }, { timeoutMs });
        if (problem !== "") throw error;
      }
      await pause();
    }
    appended += batch.length;
    batch = [];
  };
  for await (const json of createInterface({ input: Readable.from(readFile(file)) })) {
    if (json.trim() === "") continue;
    batch.push({ json });
    if (batch.length === eventsAtOnce) await send();
  }
  if (batch.length > 0) await send();
  return appended;
}
