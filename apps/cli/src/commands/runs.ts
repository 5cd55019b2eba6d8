import { buildCommand } from "@stricli/core";
import { type Context, hostFlags, type HostFlags } from "../context.ts";
import { when } from "../output/numbers.ts";
import { table } from "../output/table.ts";

const timeoutMs = 30_000;

export const runs = buildCommand({
  docs: { brief: "List pipeline runs, newest first: where each stands and what its steps came to" },
  parameters: { flags: hostFlags },
  async func(this: Context, flags: HostFlags) {
    const { Status } = await import("@heddle/proto/scheduler");
    const { runs } = await this.withHost(flags.state, (clients) =>
      clients.scheduler.listPipelineRuns({ pageSize: 50 }, { timeoutMs }),
    );
    const word = (status: number): string => (Status[status] ?? "").toLowerCase();
    this.print(flags, { runs }, () =>
      runs.length === 0
        ? 'no runs yet; start one with "heddle train PIPELINE"'
        : table(
            [{ header: "run" }, { header: "status" }, { header: "started" }, { header: "steps" }],
            runs.map((run) => [
              run.pipelineRun,
              word(run.status),
              when(run.createdTimeMs),
              [
                byStatus(run.steps.map((step) => [step.step, word(step.status)])),
                ...(run.waitsFor === "" ? [] : [`waits: ${run.waitsFor}`]),
              ].join(", "),
            ]),
          ),
    );
  },
});

/** What steps came to: those that are well are counted, and those that another's end cancelled; the others are named, so that they stand out. */
function byStatus(steps: readonly (readonly [step: string, status: string])[]): string {
  const countOf = (word: string): readonly string[] => {
    const count = steps.filter(([, status]) => status === word).length;
    return count === 0 ? [] : [`${count} ${word}`];
  };
  const named = steps.filter(([, status]) => status !== "succeeded" && status !== "cancelled");
  return [
    ...countOf("succeeded"),
    ...named.map(([step, status]) => `${step} ${status}`),
    ...countOf("cancelled"),
  ].join(", ");
}
