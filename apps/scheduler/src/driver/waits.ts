/** Why runs do not go on now, in words for people. Nothing of it is kept: the next scheduler finds out for itself. */
export interface Waits {
  /** Empty for a run that goes on, or is not driven here. */
  of(run: string): string;
  /** @param why empty when it goes on. */
  say(run: string, why: string): void;
}

/** @param touch told of each run of which something else is said than before. */
export function openWaits(touch: (run: string) => void): Waits {
  const reasons = new Map<string, string>();
  const of = (run: string): string => reasons.get(run) ?? "";
  return {
    of,
    say: (run, why) => {
      if (why === of(run)) return;
      if (why === "") reasons.delete(run);
      else reasons.set(run, why);
      touch(run);
    },
  };
}
