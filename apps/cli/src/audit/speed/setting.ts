import type { AuditedSetting } from "@heddle/learner";

type Setting = Pick<AuditedSetting, "inFlight" | "staleness" | "rowAge">;

/** In a sentence. */
export function settingText({ inFlight, staleness, rowAge }: Setting): string {
  const updates = inFlight === 1 ? "1 update" : `${inFlight} updates`;
  const rows = rowAge === undefined ? "" : `, rows up to ${rowAge} updates old`;
  return `${updates} in flight and staleness up to ${staleness}${rows}`;
}

/** In a table, beside the updates in flight. */
export function boundText({ staleness, rowAge }: Setting): string {
  return rowAge === undefined ? String(staleness) : `${staleness}, rows ${rowAge}`;
}
