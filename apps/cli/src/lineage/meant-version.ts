import { HeddleError, isHeddleError } from "@heddle/base";
import { Status } from "@heddle/proto/scheduler";
import type { Clients } from "../host/clients.ts";

const timeoutMs = 30_000;

/**
 * The version that a person means by a pipeline run or a model (its live one), else `asked` itself.
 *
 * @throws {HeddleError} NOT_FOUND UNKNOWN_PIPELINE_RUN; NO_VERSION_YET when the run has trained none; NOTHING_LIVE when no version of the
 *   model is served.
 */
export async function meantVersion(clients: Clients, asked: string): Promise<string> {
  return isPipelineRun(asked) ? ofPipelineRun(clients, asked) : ofModel(clients, asked);
}

/** Whether it is a name as `heddle runs` lists it; nothing else has a slash but what is named by its kind, as `source:NAME`. */
export const isPipelineRun = (asked: string): boolean => /^[^:]+\//.test(asked);

async function ofPipelineRun({ scheduler }: Clients, pipelineRun: string): Promise<string> {
  const { run } = await scheduler.getPipelineRun({ pipelineRun }, { timeoutMs });
  const trained = run?.steps.find(({ kind }) => kind === "train");
  const version = trained?.outputs["version"];
  if (version !== undefined) return version;
  const status = (Status[trained?.status ?? 0] ?? "").toLowerCase();
  throw new HeddleError(
    "NOT_FOUND",
    "NO_VERSION_YET",
    `run ${pipelineRun} has trained no version: its step ${trained?.step ?? "train"} is ${status}; "heddle runs" shows where it stands`,
  );
}

async function ofModel(clients: Clients, asked: string): Promise<string> {
  const live = await liveOf(clients, asked);
  if (live === undefined) return asked;
  if (live.version !== undefined) return live.version.version;
  throw new HeddleError(
    "NOT_FOUND",
    "NOTHING_LIVE",
    `no version of model ${asked} is live; name one of those that "heddle versions ${asked}" lists`,
  );
}

/** What is live of a model; undefined when no model has that name. */
async function liveOf({ registry }: Clients, model: string) {
  try {
    return await registry.whatWasLive({ model }, { timeoutMs });
  } catch (error) {
    if (isHeddleError(error, "UNKNOWN_MODEL")) return undefined;
    throw error;
  }
}
