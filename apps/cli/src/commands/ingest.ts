import { randomUUID } from "node:crypto";
import { buildCommand } from "@stricli/core";
import { type Context, hostFlags, type HostFlags } from "../context.ts";
import { count } from "../output/numbers.ts";
import { table } from "../output/table.ts";
import { wrapped } from "../output/wrapped.ts";

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
        const { events, duplicates, differing } = await ingestFile(clients, file, {
          ...to,
          requestId: randomUUID(),
        });
        done.push({ file, events, duplicates, differing });
      }
      return done;
    });
    this.print(flags, { source, files: results }, () =>
      [
        table(
          [
            { header: "file" },
            { header: "events", align: "right" },
            { header: "duplicates", align: "right" },
          ],
          results.map(({ file, events, duplicates }) => [file, count(events), count(duplicates)]),
        ),
        ...results.flatMap(({ file, differing }) =>
          differing === 0n ? [] : [wrap(differingText(file, differing))],
        ),
      ].join("\n"),
    );
  },
});

/** A correction under an id that is there already changes nothing, which nobody expects who sends one. */
const differingText = (file: string, differing: bigint): string =>
  `look at: ${count(differing)} of ${file}'s duplicates say something else than the event that is kept under their id, the one that came first; a row of its own needs an id of its own, and to correct what is kept ingest all of it into a source of another name`;

const wrap = (text: string): string => wrapped(text.split(" "), 76).join("\n  ");
