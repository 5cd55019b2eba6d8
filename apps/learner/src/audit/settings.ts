import type { Training } from "@heddle/sdk";
import type { Setting } from "./interleave.ts";

/** The overlap that a definition trains with; in `exact` mode a lag of 1 is one update that is read past. */
export function settingOf({ mode, lag }: Pick<Training, "mode" | "lag">): Setting {
  if (mode?.kind !== "bounded") return { inFlight: 1 + lag, staleness: lag };
  const { inFlight, staleness, rowAge = 0 } = mode;
  return { inFlight, staleness, ...(rowAge > 0 && { rowAge }) };
}

export const isSameSetting = (a: Setting, b: Setting): boolean => compared(a, b) === 0;

/**
 * What an audit trains: one update at a time, which the others are compared with; then more in flight, each with a tight bound and a
 * wide one; and the definition's own setting, with rows of any age that it allows and without.
 */
export function settingsOf(inFlight: readonly number[], own: Setting): Setting[] {
  const settings: Setting[] = [];
  const add = (setting: Setting): void => {
    if (!settings.some((one) => isSameSetting(one, setting))) settings.push(setting);
  };
  add({ inFlight: 1, staleness: 0 });
  for (const updates of inFlight) {
    add({ inFlight: updates, staleness: updates - 1 });
    add({ inFlight: updates, staleness: 4 * (updates - 1) });
  }
  const { rowAge: _, ...withoutAge } = own;
  add(withoutAge);
  add(own);
  return settings.sort(compared);
}

const compared = (a: Setting, b: Setting): number =>
  a.inFlight - b.inFlight || a.staleness - b.staleness || (a.rowAge ?? 0) - (b.rowAge ?? 0);
