import { setTimeout } from "node:timers/promises";
import { buildCommand } from "@stricli/core";
import { type Context, hostFlags, type HostFlags } from "../context.ts";

const timeoutMs = 30_000;
const pauseMs = 200;

export const stream = buildCommand({
  docs: {
    brief: "Append events to a source's log, and say how far its windows are cut",
    fullDescription:
      "Files are JSON lines, one event a line. What is acknowledged survives a power cut; events sent\ntwice are counted once. Without a file it only says how the stream stands.",
  },
  parameters: {
    flags: hostFlags,
    positional: {
      kind: "array",
      minimum: 1,
      parameter: {
        brief: "Source, then files of events (.jsonl)",
        placeholder: "source|file",
        parse: String,
      },
    },
  },
  async func(this: Context, flags: HostFlags, source: string, ...files: string[]) {
    const { appendFile } = await import("../online/append.ts");
    const { streamText } = await import("../online/text.ts");
    const pause = (): Promise<void> => setTimeout(pauseMs);
    const state = await this.withHost(flags.state, async (clients) => {
      for (const file of files) await appendFile(clients, { source, file, pause });
      return await clients.featureStore.getStream({ source }, { timeoutMs });
    });
    this.print(flags, state, () => streamText(state));
  },
});
