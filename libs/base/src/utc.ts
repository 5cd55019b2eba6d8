/**
 * The moment that a text of ISO 8601 names, in milliseconds since the epoch: NaN where it names none. One without a zone is UTC, as in
 * event files; `Date.parse` alone would take it for a time of this machine's zone.
 */
export function utcMs(text: string): number {
  const withoutZone = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(text);
  return Date.parse(withoutZone ? `${text}Z` : text);
}
