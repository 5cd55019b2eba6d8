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
              byStatus(run.steps.map((step) => [step.step, word(step.status)])),
            ]),
          ),
    );
  },
});

/** What steps came to: those that are well are counted, the others named, so that they stand out. */
function byStatus(steps: readonly (readonly [step: string, status: string])[]): string {
  const well = steps.filter(([, status]) => status === "succeeded").length;
  const others = steps.filter(([, status]) => status !== "succeeded");
  return [
    ...(well === 0 ? [] : [`${well} succeeded`]),
    ...others.map(([step, status]) => `${step} ${status}`),
  ].join(", ");
}
