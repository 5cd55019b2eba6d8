import type { StepPart } from "./step-part.ts";

/** Pushes that wait for the rest of their step. */
export interface HeldSteps {
  /**
   * Keeps a part; the same part again takes the place of the first.
   *
   * @returns resolves when the step is applied; rejects as it is refused, or with the signal's reason, and then the part is gone.
   */
  hold(step: number, part: StepPart, signal: AbortSignal): Promise<void>;
  /** Parts of a step in the order of their micro-batches. */
  parts(step: number): readonly StepPart[];
  applied(step: number): void;
  /** Nothing of the step was applied; whoever waits for it is told why. */
  refused(step: number, error: unknown): void;
  /** All of them: the run returns to a cut, or another attempt has taken over. */
  refuseAll(error: unknown): void;
}

interface Held {
  readonly parts: Map<number, StepPart>;
  readonly end: PromiseWithResolvers<void>;
}

/** @param onDropped is told of each part that goes without being applied. */
export function openHeldSteps(onDropped: (step: number, microBatch: number) => void): HeldSteps {
  const steps = new Map<number, Held>();
  const stepOf = (step: number): Held => {
    const known = steps.get(step);
    if (known !== undefined) return known;
    const held = { parts: new Map<number, StepPart>(), end: Promise.withResolvers<void>() };
    // Whoever waits learns of a refusal; nobody has to.
    held.end.promise.catch(() => undefined);
    steps.set(step, held);
    return held;
  };
  const refused = (step: number, error: unknown): void => {
    const held = steps.get(step);
    if (held === undefined) return;
    steps.delete(step);
    for (const microBatch of held.parts.keys()) onDropped(step, microBatch);
    held.end.reject(error);
  };
  return {
    hold: async (step, part, signal) => {
      signal.throwIfAborted();
      const held = stepOf(step);
      held.parts.set(part.microBatch, part);
      const gaveUp = Promise.withResolvers<never>();
      const onAbort = (): void => {
        // A repeated call may have taken its place.
        if (held.parts.get(part.microBatch) === part) {
          held.parts.delete(part.microBatch);
          if (steps.get(step) === held) onDropped(step, part.microBatch);
        }
        gaveUp.reject(signal.reason as Error);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        await Promise.race([held.end.promise, gaveUp.promise]);
      } finally {
        signal.removeEventListener("abort", onAbort);
      }
    },
    parts: (step) =>
      [...(steps.get(step)?.parts.values() ?? [])].sort((a, b) => a.microBatch - b.microBatch),
    applied: (step) => {
      steps.get(step)?.end.resolve();
      steps.delete(step);
    },
    refused,
    refuseAll: (error) => {
      for (const step of [...steps.keys()]) refused(step, error);
    },
  };
}
