/** How many updates overlap, and how stale a push may be. */
export interface Setting {
  /** Logical learners: each has one update under way. */
  readonly inFlight: number;
  /** Pushes that may be applied between an update's pull and its push. */
  readonly staleness: number;
  /** Rows that were read up to so many updates ago are computed on as they were; none when absent. */
  readonly rowAge?: number;
}

/** What overlapped. */
export interface Overlapped {
  /** Pushes by staleness, from 0 to the bound. */
  readonly pushes: readonly number[];
  /** Pushes that were too stale, and computed again. */
  readonly refused: number;
}

/** What was read, and the oldest state that any of it is of: so many updates were applied then. */
export interface StateRead<Read> {
  readonly read: Read;
  readonly state: number;
}

export interface InterleaveOptions<Batch, Read> {
  readonly setting: Setting;
  /** From 0 to less than 1: chooses whose push comes next. */
  readonly random: () => number;
  readonly next: () => Promise<Batch | undefined>;
  /**
   * Reads the parameters.
   *
   * @param anew whether only the state of now will do, because an older one was too old.
   */
  readonly pull: (batch: Batch, anew: boolean) => StateRead<Read>;
  /** Computes on what was read, and applies it. */
  readonly push: (batch: Batch, read: Read) => Promise<void>;
}

/**
 * Trains as so many learners would that overlap, on one thread and with the same result each time: as many updates as may be are kept
 * under way, and chance delays each one's push. The bounds hold as `bounded` mode has them: an update begins only when its number is
 * less than `inFlight` above the lowest under way, and one that is too stale reads and computes again.
 */
export async function interleave<Batch, Read>(
  options: InterleaveOptions<Batch, Read>,
): Promise<Overlapped> {
  const { setting, random, next, pull, push } = options;
  const { inFlight, staleness } = setting;
  const pushes = new Array<number>(staleness + 1).fill(0);
  let [applied, refused, number] = [0, 0, 0];
  const underWay: { number: number; batch: Batch; pulled: StateRead<Read> }[] = [];
  let waiting = await next();
  for (;;) {
    while (waiting !== undefined && number - (underWay[0]?.number ?? number) < inFlight) {
      const batch: Batch = waiting;
      underWay.push({ number: number++, batch, pulled: pull(batch, false) });
      waiting = await next();
    }
    // In ascending order of their numbers, so the first one is the lowest.
    const place = Math.floor(random() * underWay.length);
    const update = underWay[place];
    if (update === undefined) return { pushes, refused };
    const stale = applied - update.pulled.state;
    if (stale > staleness) {
      refused += 1;
      update.pulled = pull(update.batch, true);
      continue;
    }
    underWay.splice(place, 1);
    await push(update.batch, update.pulled.read);
    applied += 1;
    pushes[stale] = (pushes[stale] ?? 0) + 1;
  }
}
