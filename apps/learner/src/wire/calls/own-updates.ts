/**
 * A learner's updates as one shard has them, in bounded mode: which were begun, which of those it has not acknowledged, and which process
 * answered each pull. So the learner can say to a process that takes a lost one's place what will still come.
 */
export interface OwnUpdates {
  /** An update is about to be pulled; also again, when its push was refused. */
  begin(update: number): void;
  /** The pull of an update was answered, by the process of that life. */
  pulled(update: number, life: number): void;
  /** Life of the process that answered the last pull of an update. */
  lifeOf(update: number): number;
  /** A push was acknowledged. */
  acknowledged(update: number, notes: Sums): void;
  told(): Sums & { readonly begun: number; readonly open: readonly number[] };
}

/** Of pushes that were acknowledged. */
interface Sums {
  readonly lossSum: number;
  readonly learnerCpuSeconds: number;
}

export function openOwnUpdates(): OwnUpdates {
  let begun = 0;
  const open = new Set<number>();
  const lives = new Map<number, number>();
  const sums = { lossSum: 0, learnerCpuSeconds: 0 };
  return {
    begin: (update) => {
      if (update <= begun) return;
      begun = update;
      open.add(update);
    },
    pulled: (update, life) => void lives.set(update, life),
    lifeOf: (update) => lives.get(update) ?? 0,
    acknowledged: (update, { lossSum, learnerCpuSeconds }) => {
      lives.delete(update);
      // A push that comes again, because another shard refused the first, counts nowhere.
      if (!open.delete(update)) return;
      sums.lossSum += lossSum;
      sums.learnerCpuSeconds += learnerCpuSeconds;
    },
    told: () => ({ ...sums, begun, open: [...open].sort((a, b) => a - b) }),
  };
}
