import type { Executor } from "@heddle/executor";
import type { ModelDefinition } from "@heddle/sdk";
import { openNetwork } from "../../network.ts";
import { openHeldOutScorer } from "../scorer.ts";
import { type NotTried, sizesToTry, tooMuchFor } from "./ladder.ts";
import { definitionAt, type RateRule } from "./rates.ts";
import type { OrderedRows } from "./rows.ts";
import { judgeSize, type Meter, type SizedTraining, type SizeOutcome } from "./train-size.ts";

export interface JudgeOptions {
  readonly definition: ModelDefinition;
  readonly executor: Executor;
  /** Sizes to try, beside the definition's own. */
  readonly sizes: readonly number[];
  readonly rates: RateRule;
  readonly residentBytesMax: number;
  readonly meter: Meter;
  /** Told before each training. */
  readonly onTraining?: (batchSize: number, what: "quality" | "throughput") => void;
}

/** A size that was trained once, and what came of it. */
export interface Judged {
  readonly training: SizedTraining;
  readonly outcome: SizeOutcome;
}

/** Each size from the smallest up, until one would need more memory than there is. */
export async function judgeSizes(
  opened: AsyncDisposableStack,
  options: JudgeOptions,
  trained: readonly OrderedRows[],
  heldOut: readonly OrderedRows[],
  signal: AbortSignal,
): Promise<{ readonly outcomes: readonly Judged[]; readonly notTried: readonly NotTried[] }> {
  const { definition, executor, meter, residentBytesMax, onTraining } = options;
  const own = definition.training.batchSize;
  const scorer = opened.use(await openHeldOutScorer(definition, executor));
  const { sizes, notTried } = sizesToTry(options.sizes, own, trained);
  const outcomes: Judged[] = [];
  const refused: NotTried[] = [...notTried];
  for (const batchSize of sizes) {
    const needed =
      batchSize === own ? undefined : tooMuchFor(batchSize, outcomes, residentBytesMax);
    if (needed !== undefined) {
      refused.push(needed);
      continue;
    }
    onTraining?.(batchSize, "quality");
    const sized = definitionAt(definition, batchSize, options.rates);
    const network = opened.use(await openNetwork(sized, executor));
    const training = { network, batchSize, rows: trained, meter };
    outcomes.push({ training, outcome: await judgeSize(training, scorer, heldOut, signal) });
  }
  return { outcomes, notTried: refused.sort((a, b) => a.batchSize - b.batchSize) };
}
