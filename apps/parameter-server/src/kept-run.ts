import type { ConfigureRequest } from "@heddle/proto/parameter-server";
import { declarationOf } from "./declaration.ts";
import { type HeldSteps, openHeldSteps } from "./held-steps.ts";
import { openShard, type Shard } from "./shard.ts";
import { joinParts, type StepPart } from "./step-part.ts";
import { openStepOrder, type StepOrder } from "./step-order.ts";

/** The run a shard keeps, from its first Configure on. */
export interface KeptRun {
  readonly request: ConfigureRequest;
  readonly shard: Shard;
  readonly order: StepOrder;
  readonly microBatches: number;
  readonly held: HeldSteps;
  readonly totals: Totals;
  /**
   * Keeps a push until its step is applied.
   *
   * @throws {HeddleError} NOT_FINITE, WRONG_SIZE, UNKNOWN_TABLE, TABLE_FULL; nothing of the step was applied then.
   */
  push(step: number, part: StepPart, cut: boolean, signal: AbortSignal): Promise<void>;
  /** Applies what may be applied now. */
  advance(): void;
  returnTo(step: number, lossSum: number): void;
}

/** What is summed up over steps, in their order. */
export interface Totals {
  readonly lossSum: number;
  readonly learnerCpuSeconds: number;
}

/** @throws {HeddleError} INVALID_ARGUMENT DECLARATION_INVALID. */
export function openKeptRun(
  request: ConfigureRequest,
  tableRowsMax: number,
  onChange: () => void,
): KeptRun {
  const microBatches = Math.max(1, request.microBatches);
  const shard = openShard(declarationOf(request), tableRowsMax);
  const order = openStepOrder(request.lag, microBatches);
  const held = openHeldSteps(order.dropped);
  const totals = { lossSum: 0, learnerCpuSeconds: 0 };

  /** @throws {HeddleError} of the shard, which has applied nothing then. */
  const applyNext = (step: number): void => {
    const parts = held.parts(step);
    const { tables, dense } = joinParts(parts);
    shard.push(tables, dense, step);
    for (const { lossSum, learnerCpuSeconds } of parts) {
      totals.lossSum += lossSum;
      totals.learnerCpuSeconds += learnerCpuSeconds;
    }
    order.advanced();
    held.applied(step);
  };
  const advance = (): void => {
    while (order.ready) {
      const step = order.applied + 1;
      try {
        applyNext(step);
      } catch (error) {
        held.refused(step, error);
      }
      onChange();
    }
  };
  return {
    ...{ request, shard, order, microBatches, held, totals, advance },
    push: (step, part, cut, signal) => {
      // Of several parts each answers for itself; one alone is asked when it is applied.
      if (microBatches > 1) shard.check(part.tables, part.dense);
      const applied = held.hold(step, part, signal);
      order.held(step, part.microBatch, cut);
      advance();
      return applied;
    },
    returnTo: (step, lossSum) => {
      order.returnTo(step);
      totals.lossSum = lossSum;
      totals.learnerCpuSeconds = 0;
      onChange();
    },
  };
}
