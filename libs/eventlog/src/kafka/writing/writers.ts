import type { KafkaAddress } from "../address.ts";
import { clientOptions, type KafkaUser } from "../client.ts";
import { openWriter, type Writer } from "./writer.ts";
import type { WriterDeps } from "./sender.ts";

/** A writer for each topic, so that one whose replicas are missing holds up no other. */
export interface Writers extends AsyncDisposable {
  /** @param compacted whether an empty value removes a key there. */
  of(topic: string, compacted: boolean): Writer;
}

/** The writer decides by time, not by count. */
const triesMax = 1_000_000;

export function openWriters(
  address: KafkaAddress,
  deps: WriterDeps & { readonly user?: KafkaUser },
): Writers {
  const writers = new Map<string, Writer>();
  return {
    of: (topic, compacted) => {
      const place = { brokers: address.brokers, topic };
      const writer =
        writers.get(topic) ??
        openWriter(topic, compacted, clientOptions(address, deps.user, triesMax), place, deps);
      writers.set(topic, writer);
      return writer;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...writers.values()].map((writer) => writer[Symbol.asyncDispose]()));
    },
  };
}
