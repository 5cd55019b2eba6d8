import { buildCommand } from "@stricli/core";
import { HeddleError } from "@heddle/base";
import { type Context, hostFlags, type HostFlags, oneArgument } from "../context.ts";

export const trace = buildCommand({
  docs: {
    brief: "Print a run's trace across all processes as a tree with times, and what led to it",
    fullDescription: [
      'OF is a pipeline run as "heddle runs" lists it, e.g. grocer-weekly/49; a version (a unique prefix will do);',
      "a model, whose live version is meant; or the id of a trace. Behind it come the traces that its spans link",
      "to: who ingested what was learnt.",
    ].join("\n"),
  },
  parameters: {
    flags: hostFlags,
    positional: oneArgument("of", "Pipeline run, version, model or trace"),
  },
  async func(this: Context, flags: HostFlags, asked: string) {
    const { readTraces } = await import("../trace/read.ts");
    const { askedTraceId } = await import("../trace/trace-id.ts");
    const { tracesText } = await import("../trace/tree.ts");
    const id = await this.withHost(flags.state, (clients) => askedTraceId(clients, asked));
    const [own, ...linked] = readTraces(flags.state, id);
    if (own?.traceId !== id) {
      throw new HeddleError(
        "NOT_FOUND",
        "NO_TRACE",
        `no spans of ${asked} in ${flags.state}/telemetry; they are written there unless an OTLP endpoint is configured: then look for trace ${id || "none"} at its collector`,
      );
    }
    const { traceId, roots } = own;
    this.print(flags, { traceId, roots, linked }, () => tracesText(own, linked, this.palette));
  },
});
