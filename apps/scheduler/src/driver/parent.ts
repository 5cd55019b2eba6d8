import { isOnline } from "../pipelines/log-windows.ts";
import { begun } from "../runs/pipeline-run.ts";
import { runEnded, type RunState } from "../runs/run-state.ts";
import { liveVersion } from "../steps/work.ts";
import type { DrivenRun, DriverDeps } from "./driven-run.ts";

/** Fixes the run's parent. */
export async function begin(run: DrivenRun, deps: DriverDeps, signal: AbortSignal): Promise<void> {
  const { state } = await deps.runs.get(run.id);
  if (state.parent !== undefined || runEnded(state)) return;
  const before = isOnline(state.definition) ? await versionBefore(state, deps) : undefined;
  const parent = before ?? (await liveVersion({ run: state, ...deps, signal }))?.version ?? "";
  await run.change("begun", (now) => begun(now, parent));
}

/**
 * What learns from the log goes on from the version of the windows before, whatever its verdict: a version that the gate refused is not
 * served, and what it learnt is not lost. Undefined before the first.
 */
async function versionBefore(
  { pipeline, window, variant }: RunState,
  { runs }: DriverDeps,
): Promise<string | undefined> {
  const made = (await runs.list(pipeline)).flatMap(({ state }) => {
    const version = state.steps.find(({ kind }) => kind === "train")?.outputs["version"];
    const number = Number(state.window);
    const before = state.variant === variant && number < Number(window);
    return before && version !== undefined ? [{ number, version }] : [];
  });
  return made.sort((a, b) => b.number - a.number)[0]?.version;
}
