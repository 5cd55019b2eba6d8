import type { Training } from "@heddle/sdk";
import type { Setting } from "./interleave.ts";

/** The overlap that a definition trains with; in `exact` mode a lag of 1 is one update that is read past. */
export function settingOf({ mode, lag }: Pick<Training, "mode" | "lag">): Setting {
  return mode?.kind === "bounded"
    ? { inFlight: mode.inFlight, staleness: mode.staleness }
    : { inFlight: 1 + lag, staleness: lag };
}

/**
 * What an audit trains: one update at a time, which the others are compared with; then more in flight, each with a tight bound and a
 * wide one; and the definition's own setting.
 */
export function settingsOf(inFlight: readonly number[], own: Setting): Setting[] {
  const settings = new Map<string, Setting>();
  const add = (setting: Setting): void => {
    settings.set(`${setting.inFlight}/${setting.staleness}`, setting);
  };
  add({ inFlight: 1, staleness: 0 });
  for (const updates of inFlight) {
    add({ inFlight: updates, staleness: updates - 1 });
    add({ inFlight: updates, staleness: 4 * (updates - 1) });
  }
  add(own);
  return [...settings.values()].sort(
    (a, b) => a.inFlight - b.inFlight || a.staleness - b.staleness,
  );
}
