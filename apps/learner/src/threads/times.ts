import type { ThreadTimes } from "../stages.ts";
import type { Thread } from "./thread.ts";

/** How long the threads of a learner have been at work. */
export function threadTimes(threads: {
  readonly data: Thread;
  readonly compute: Thread | undefined;
}): ThreadTimes {
  const { data, compute } = threads;
  const transformedMs = (): number => data.activity.busy("transform").wallMs;
  if (compute === undefined) return { transformedMs };
  return { transformedMs, computedMs: () => compute.activity.busy("compute").wallMs };
}
