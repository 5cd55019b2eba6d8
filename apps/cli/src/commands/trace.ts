import { buildCommand } from "@stricli/core";
import { HeddleError } from "@heddle/base";
import { type Context, hostFlags, type HostFlags } from "../context.ts";

const timeoutMs = 30_000;

export const trace = buildCommand({
  docs: {
    brief: "Print a run's trace across all processes as a tree with times",
    fullDescription: 'RUN is a pipeline run as "heddle runs" lists it, e.g. grocer-weekly/49.',
  },
  parameters: {
    flags: hostFlags,
    positional: {
      kind: "tuple",
      parameters: [{ brief: "Pipeline run", placeholder: "run", parse: String }],
    },
  },
  async func(this: Context, flags: HostFlags, pipelineRun: string) {
    const { readTrace } = await import("../trace/read.ts");
    const { traceTree } = await import("../trace/tree.ts");
    const { run } = await this.withHost(flags.state, (clients) =>
      clients.scheduler.getPipelineRun({ pipelineRun }, { timeoutMs }),
    );
    const traceId = run?.traceparent.split("-")[1] ?? "";
    const roots = readTrace(flags.state, traceId);
    if (roots.length === 0) {
      throw new HeddleError(
        "NOT_FOUND",
        "NO_TRACE",
        `no spans of ${pipelineRun} in ${flags.state}/telemetry; they are written there unless an OTLP endpoint is configured`,
      );
    }
    this.print(flags, { traceId, roots }, () => traceTree(roots, this.palette));
  },
});
