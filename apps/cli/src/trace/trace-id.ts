import { traceIdOf } from "@heddle/telemetry";
import type { Clients } from "../host/clients.ts";
import { isPipelineRun, meantVersion } from "../lineage/meant-version.ts";

const timeoutMs = 30_000;

/** The id of the trace that a person means by a pipeline run, a version, a model (its live version), or the id itself; empty when it has none. */
export async function askedTraceId(clients: Clients, asked: string): Promise<string> {
  if (/^[0-9a-f]{32}$/.test(asked)) return asked;
  const traceparent = isPipelineRun(asked)
    ? await ofRun(clients, asked)
    : await ofVersion(clients, asked);
  return traceIdOf(traceparent);
}

async function ofRun({ scheduler }: Clients, pipelineRun: string): Promise<string> {
  const { run } = await scheduler.getPipelineRun({ pipelineRun }, { timeoutMs });
  return run?.traceparent ?? "";
}

async function ofVersion(clients: Clients, asked: string): Promise<string> {
  const name = await meantVersion(clients, asked);
  const { version } = await clients.registry.getVersion({ version: name }, { timeoutMs });
  return version?.traceparent ?? "";
}
