import { buildCommand } from "@stricli/core";
import { countsTo, countTo, positive, share } from "../audit/flags.ts";
import type { BatchAuditFlags } from "../audit/batch-size/run.ts";
import { type Context, hostFlags, type HostFlags, oneArgument } from "../context.ts";

/** What a definition may ask for. */
const batchSizeMax = 65_536;
/** Rows lie in memory, transformed. */
const examplesMax = 10_000_000;

export const batchAudit = buildCommand({
  docs: {
    brief: "Train with several batch sizes, and name the fastest one that costs no quality",
    fullDescription:
      "Trains MODEL's newest dataset from nothing with each size in this process, times it, compares the last\nfifth of the rows, held out, with paired intervals, and prints the size it would choose and why.",
  },
  parameters: {
    flags: {
      ...hostFlags,
      sizes: {
        kind: "parsed",
        parse: countsTo(batchSizeMax),
        brief: "Batch sizes to try, beside the model's own",
        default: "256,512,1024,2048,4096,8192,16384",
      },
      examples: {
        kind: "parsed",
        parse: countTo(examplesMax),
        brief: "Rows of the dataset to read, from the first on",
        default: "100000",
      },
      rounds: {
        kind: "parsed",
        parse: countTo(100),
        brief: "Trainings of each size that are timed",
        default: "3",
      },
      rates: {
        kind: "enum",
        values: ["keep", "root", "linear"],
        brief:
          "What becomes of learning rates: as they are, or times the growth of the batch or its root",
        default: "keep",
      },
      per: {
        kind: "enum",
        values: ["cpu-second", "second"],
        brief: "What is compared: examples per CPU-second, or per second",
        default: "cpu-second",
      },
      within: {
        kind: "parsed",
        parse: share,
        brief: "Share of the best throughput that may be given up for a smaller size",
        default: "0.05",
      },
      tolerance: {
        kind: "parsed",
        parse: positive,
        brief: "How much worse counts as worse, of log loss and of AUC",
        default: "0.002",
      },
      memoryMib: {
        kind: "parsed",
        parse: positive,
        brief: "Memory this process may have; four fifths of what is free when absent",
        optional: true,
      },
      seed: { kind: "parsed", parse: Number, brief: "Seed of the intervals", default: "1" },
    },
    positional: oneArgument("model", "Model"),
  },
  async func(this: Context, flags: HostFlags & BatchAuditFlags, model: string) {
    const { runBatchAudit } = await import("../audit/batch-size/run.ts");
    const { batchAuditText } = await import("../audit/batch-size/text.ts");
    const say = (line: string): void => void this.process.stderr.write(`${line}\n`);
    const audit = await this.withHost(flags.state, (clients) =>
      runBatchAudit(clients, model, flags, say),
    );
    this.print(flags, audit, () => batchAuditText(audit));
  },
});
