import { messageOf } from "@heddle/base";
import { listAll } from "@heddle/store";
import { cutWindow, type CutDeps } from "./cut.ts";

/** Windows of all streams, cut as their records come. */
export interface Cutting extends AsyncDisposable {
  /** A source has a stream, or something was appended to its log. */
  wake(source: string): void;
  /** Why a source's windows are not cut; undefined when nothing is wrong. */
  problemOf(source: string): string | undefined;
}

/** Other processes append, too; and what failed is tried again. */
const lookEveryMs = 1_000;
/** Another process may have applied a source. */
const listEveryMs = 60_000;

export function startCutting(deps: CutDeps): Cutting {
  const { log } = deps.telemetry;
  const closing = new AbortController();
  const problems = new Map<string, string>();
  const streams = new Set<string>();
  let woken = Promise.withResolvers<void>();
  const cutAll = async (source: string): Promise<void> => {
    try {
      while (!closing.signal.aborted && (await cutWindow(source, deps))) {
        log.info({ source }, "window cut");
      }
      problems.delete(source);
    } catch (error) {
      if (closing.signal.aborted) return;
      const problem = messageOf(error);
      if (problems.get(source) !== problem) log.error({ source, error: problem }, "no window cut");
      problems.set(source, problem);
    }
  };
  let listAgainMs = Number.NEGATIVE_INFINITY;
  // A source keeps its stream, and one that is applied here is known at once: its document is read, and those of no others.
  const list = async (): Promise<void> => {
    if (deps.clock.monotonicMs() < listAgainMs) return;
    try {
      for (const { id, state } of await listAll(deps.store.sources)) {
        if (state.definition.stream !== undefined) streams.add(id);
      }
      listAgainMs = deps.clock.monotonicMs() + listEveryMs;
    } catch (error) {
      // The store may be elsewhere, and away: whoever is woken is cut all the same.
      log.warn({ error: messageOf(error) }, "streams could not be listed, trying again");
    }
  };
  const running = (async () => {
    while (!closing.signal.aborted) {
      woken = Promise.withResolvers();
      await list();
      await Promise.all([...streams].map(cutAll));
      await Promise.race([
        woken.promise,
        deps.clock.sleep(lookEveryMs, closing.signal).catch(() => undefined),
      ]);
    }
  })();
  return {
    wake: (source) => {
      streams.add(source);
      woken.resolve();
    },
    problemOf: (source) => problems.get(source),
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      await running;
    },
  };
}
