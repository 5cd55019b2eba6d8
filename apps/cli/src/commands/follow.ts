import { setTimeout } from "node:timers/promises";
import { buildCommand, numberParser } from "@stricli/core";
import { type Context, hostFlags, type HostFlags, oneArgument, quietFlag } from "../context.ts";
import { exitCodeOfVerdict } from "../exit-codes.ts";

interface Flags extends HostFlags {
  readonly from: number;
  readonly versions?: number;
  readonly quiet: boolean;
}

const pauseMs = 500;

export const follow = buildCommand({
  docs: {
    brief: "Learn from the event log as events come: a version, its gate, the next one",
    fullDescription:
      "Goes on from the windows after those that the pipeline's last version learnt. Stop it at any time:\nthe next call goes on where this one was. Exit code 4: the gate refused the last version; 5: not enough\ndata to judge it.",
  },
  parameters: {
    flags: {
      ...hostFlags,
      from: {
        kind: "parsed",
        parse: numberParser,
        brief: "Window that the first version begins with",
        default: "0",
      },
      versions: {
        kind: "parsed",
        parse: numberParser,
        brief: "Versions to make; until it is stopped when absent",
        optional: true,
      },
      quiet: quietFlag,
    },
    positional: oneArgument("pipeline", "Pipeline, as applied"),
  },
  async func(this: Context, flags: Flags, pipeline: string) {
    const { openProgress } = await import("../output/progress.ts");
    const { courseOf, lagOf, learnNext, nextWindow } = await import("../online/follow.ts");
    const { learntText } = await import("../online/text.ts");
    const { versions = Infinity } = flags;
    await this.withHost(flags.state, async (clients) => {
      using progress = openProgress(this.process.stderr, flags.quiet, Date.now);
      const course = await courseOf(clients, pipeline);
      for (let made = 0; made < versions; made++) {
        const window = await nextWindow(clients, course, flags.from);
        const pause = (): Promise<void> => setTimeout(pauseMs);
        const outcome = await learnNext(clients, course, window, progress, pause);
        const { version, verdict } = outcome;
        if (version === undefined) continue;
        const lag = await lagOf(clients, course, version, Date.now());
        this.print(flags, { ...outcome, lag }, () => learntText(outcome, lag));
        this.process.exitCode = exitCodeOfVerdict(verdict);
      }
    });
  },
});
