import { orAborted } from "@heddle/base";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  WatchPipelineRunRequest,
  WatchPipelineRunResponseSchema,
} from "@heddle/proto/scheduler";
import type { LiveAttempts } from "../attempts/live-attempts.ts";
import { runMessage } from "./run-message.ts";
import { runEnded } from "../runs/run-state.ts";
import type { RunStore } from "../store.ts";

type Answer = MessageInitShape<typeof WatchPipelineRunResponseSchema>;

/** The run at each change above a revision and each move of its progress; ends with the run or the signal. */
export async function* watchRun(
  request: Pick<WatchPipelineRunRequest, "pipelineRun" | "revision">,
  signal: AbortSignal,
  { runs, live }: { readonly runs: RunStore; readonly live: LiveAttempts },
): AsyncGenerator<Answer> {
  const { pipelineRun } = request;
  const left = new AbortController();
  let wake = Promise.withResolvers<void>();
  runs.onChange(pipelineRun, () => wake.resolve(), left.signal);
  let seen = request.revision;
  let shown = "";
  try {
    while (!signal.aborted) {
      wake = Promise.withResolvers();
      const known = await runs.get(pipelineRun);
      const run = runMessage(known, live);
      const moved = (run.steps ?? []).map(
        ({ progress }) => `${progress?.done}/${progress?.message}`,
      );
      if (BigInt(known.revision) > seen || (shown !== "" && moved.join() !== shown)) {
        seen = BigInt(known.revision);
        yield { run };
      }
      shown = moved.join();
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
