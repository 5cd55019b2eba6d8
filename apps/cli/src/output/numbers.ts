/** Numbers as people read them; every one with its unit. */

export function count(value: number | bigint): string {
  return value.toLocaleString("en-US");
}

/** `1 run`, `2 runs`. */
export function counted(value: number | bigint, one: string, more = `${one}s`): string {
  return `${count(value)} ${Number(value) === 1 ? one : more}`;
}

export function seconds(value: number): string {
  if (value < 10) return `${value.toFixed(1)} s`;
  if (value < 120) return `${Math.round(value)} s`;
  return `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
}

export function bytes(value: number | bigint): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let amount = Number(value);
  let unit = 0;
  while (amount >= 1024 && unit < units.length - 1) [amount, unit] = [amount / 1024, unit + 1];
  return `${amount.toFixed(unit === 0 || amount >= 100 ? 0 : 1)} ${units[unit] ?? ""}`;
}

export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** `0.812 (0.806–0.818)`. */
export function interval(estimate: Estimate | undefined, digits = 3): string {
  if (estimate === undefined) return "–";
  const { value, low, high } = estimate;
  return `${value.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
}

/** `+0.012 (+0.004…+0.020)`: a difference always shows its sign. */
export function difference(estimate: Estimate | undefined, digits = 3): string {
  if (estimate === undefined) return "–";
  const signed = (x: number): string => `${x < 0 ? "−" : "+"}${Math.abs(x).toFixed(digits)}`;
  return `${signed(estimate.value)} (${signed(estimate.low)}…${signed(estimate.high)})`;
}

export function when(timeMs: number | bigint): string {
  return `${new Date(Number(timeMs)).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
