import { randomUUID } from "node:crypto";
import { buildCommand } from "@stricli/core";
import { type Context, hostFlags, type HostFlags } from "../context.ts";
import { count } from "../output/numbers.ts";
import { table } from "../output/table.ts";

interface Flags extends HostFlags {
  readonly branch?: string;
}

export const ingest = buildCommand({
  docs: {
    brief: "Send event files to a source",
    fullDescription:
      "Checks every event against the source's columns and keeps all or nothing of a file. What it\nacknowledges survives a power cut. Events sent twice are counted once.",
  },
  parameters: {
    flags: {
      ...hostFlags,
      branch: {
        kind: "parsed",
        parse: String,
        brief: "Line of history the events join, started from main if new",
        optional: true,
      },
    },
    positional: {
      kind: "array",
      minimum: 2,
      parameter: {
        brief: "Source, then its files (.parquet, .csv, .jsonl)",
        placeholder: "source|file",
        parse: String,
      },
    },
  },
  async func(this: Context, flags: Flags, source: string, ...files: string[]) {
    const { ingestFile } = await import("../project/ingest.ts");
    const to = flags.branch === undefined ? { source } : { source, branch: flags.branch };
    const results = await this.withHost(flags.state, async (clients) => {
      const done = [];
      for (const file of files) {
        const { events, duplicates } = await ingestFile(clients, file, {
          ...to,
          requestId: randomUUID(),
        });
        done.push({ file, events, duplicates });
      }
      return done;
    });
    this.print(flags, { source, files: results }, () =>
      table(
        [
          { header: "file" },
          { header: "events", align: "right" },
          { header: "duplicates", align: "right" },
        ],
        results.map(({ file, events, duplicates }) => [file, count(events), count(duplicates)]),
      ),
    );
  },
});
