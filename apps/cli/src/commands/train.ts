import { buildCommand } from "@stricli/core";
import { type Context, hostFlags, type HostFlags, oneArgument, quietFlag } from "../context.ts";
import { exitCodeOfVerdict } from "../exit-codes.ts";

interface Flags extends HostFlags {
  readonly window: string;
  readonly variant?: string;
  readonly branch?: readonly (readonly [source: string, branch: string])[];
  readonly quiet: boolean;
}

export const train = buildCommand({
  docs: {
    brief: "Run a pipeline for a window: datasets, training, evaluation, gate, publication",
    fullDescription:
      "Follows the run to its end. A run that failed or was cancelled goes on from the step that did\nnot succeed. Exit code 4: the gate refused the version; 5: not enough data to judge it.",
  },
  parameters: {
    flags: {
      ...hostFlags,
      window: {
        kind: "parsed",
        parse: String,
        brief: "Partition to train through, e.g. 49 or 2026-11-23",
        default: "all",
      },
      variant: {
        kind: "parsed",
        parse: String,
        brief: "Name of a second run of the same window",
        optional: true,
      },
      branch: {
        kind: "parsed",
        parse: branchOf,
        brief: "source=branch to read instead of main",
        variadic: true,
        optional: true,
      },
      quiet: quietFlag,
    },
    positional: oneArgument("pipeline", "Pipeline, as applied"),
  },
  async func(this: Context, flags: Flags, pipeline: string) {
    const { openProgress } = await import("../output/progress.ts");
    const { failureOf, runPipeline } = await import("../pipeline/follow.ts");
    const { outcomeOf } = await import("../pipeline/outcome.ts");
    const { outcomeHead, outcomeLines } = await import("../pipeline/outcome-text.ts");
    const branches = Object.fromEntries(flags.branch ?? []);
    const submission = {
      pipeline,
      window: flags.window,
      branches,
      ...(flags.variant === undefined ? {} : { variant: flags.variant }),
    };
    const outcome = await this.withHost(flags.state, async (clients) => {
      using progress = openProgress(this.process.stderr, flags.quiet, Date.now);
      const run = await runPipeline(clients, submission, progress);
      const failure = failureOf(run);
      if (failure !== undefined) throw failure;
      return await outcomeOf(clients, run);
    });
    this.print(flags, outcome, () =>
      [outcomeHead(outcome), outcomeLines(outcome, flags.window, this.palette)].join("\n"),
    );
    this.process.exitCode = exitCodeOfVerdict(outcome.verdict);
  },
});

function branchOf(text: string): readonly [string, string] {
  const [, source, branch] = /^([^=]+)=([^=]+)$/.exec(text) ?? [];
  if (source !== undefined && branch !== undefined) return [source, branch];
  throw new SyntaxError("write it as source=branch");
}
