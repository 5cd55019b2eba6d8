import { orAborted } from "@heddle/base";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  WatchPipelineRunRequest,
  WatchPipelineRunResponseSchema,
} from "@heddle/proto/scheduler";
import { runMessage, type Shown } from "./run-message.ts";
import { runEnded } from "../runs/run-state.ts";
import type { RunStore } from "../store.ts";

type Answer = MessageInitShape<typeof WatchPipelineRunResponseSchema>;

/** The run at each change above a revision, each move of its progress and of what it waits for; ends with the run or the signal. */
export async function* watchRun(
  request: Pick<WatchPipelineRunRequest, "pipelineRun" | "revision">,
  signal: AbortSignal,
  { runs, ...shown }: Shown & { readonly runs: RunStore },
): AsyncGenerator<Answer> {
  const { pipelineRun } = request;
  const left = new AbortController();
  let wake = Promise.withResolvers<void>();
  runs.onChange(pipelineRun, () => wake.resolve(), left.signal);
  let seen = request.revision;
  let said: string | undefined;
  try {
    while (!signal.aborted) {
      wake = Promise.withResolvers();
      const known = await runs.get(pipelineRun);
      const run = runMessage(known, shown);
      const moved = (run.steps ?? []).map(
        ({ progress }) => `${progress?.done}/${progress?.message}`,
      );
      const now = [run.waitsFor, ...moved].join();
      if (BigInt(known.revision) > seen || (said !== undefined && now !== said)) {
        seen = BigInt(known.revision);
        yield { run };
      }
      said = now;
      if (runEnded(known.state)) return;
      await orAborted(wake.promise, signal);
    }
  } catch (error) {
    // Who watched went away, or the scheduler stops: the watch is resumed by its revision.
    if (!signal.aborted) throw error;
  } finally {
    left.abort();
  }
}
