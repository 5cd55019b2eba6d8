import type { Outcome } from "../pipeline/outcome.ts";
import { metricOf } from "../pipeline/outcome.ts";
import { html, type Markup } from "./html.ts";
import { labelOf } from "./weeks.ts";

const width = 640;
const height = 240;
const margin = { left: 64, right: 16, top: 16, bottom: 32 };
/** Room that a run's name takes; with more runs than there is room for, not each is named. */
const labelWidth = 64;

interface Point {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** AUC per run with its interval, beside the fallback's: dots with whiskers, and the same numbers in the table above. */
export function aucChart(outcomes: readonly Outcome[]): Markup {
  const points = outcomes.flatMap((outcome) => {
    const metric = metricOf(outcome.evaluation, "auc");
    return metric?.candidate === undefined
      ? []
      : [{ label: labelOf(outcome), candidate: metric.candidate, fallback: metric.fallback }];
  });
  if (points.length === 0) return html``;
  const all: Point[] = points.flatMap(({ candidate, fallback }) => [
    candidate,
    ...(fallback === undefined ? [] : [fallback]),
  ]);
  const low = Math.min(...all.map((p) => p.low));
  const high = Math.max(...all.map((p) => p.high));
  const pad = (high - low) * 0.08 || 0.01;
  const y = (v: number): number =>
    margin.top +
    ((high + pad - v) / (high - low + 2 * pad)) * (height - margin.top - margin.bottom);
  const step = (width - margin.left - margin.right) / points.length;
  const x = (i: number): number => margin.left + step * (i + 0.5);
  const mark = (i: number, shift: number, p: Point, colour: string): Markup =>
    html`<line
        x1="${x(i) + shift}"
        x2="${x(i) + shift}"
        y1="${y(p.low)}"
        y2="${y(p.high)}"
        stroke="var(${colour})"
        stroke-width="2"
      /><circle cx="${x(i) + shift}" cy="${y(p.value)}" r="4" fill="var(${colour})" />`;
  const ticks = [0, 1, 2, 3].map((n) => low + ((high - low) * n) / 3);
  const labelled = points.map(({ label }, i) => ({ label, i }));
  const every = Math.ceil(labelWidth / step);
  return html`<h2 id="auc">AUC on rows that were not trained on, with 95 % intervals</h2>
    <svg
      class="chart"
      viewBox="0 0 ${width} ${height}"
      role="img"
      aria-label="AUC per run beside the fallback's"
    >
      ${ticks.map((v) => html`<line x1="${margin.left}" x2="${width - margin.right}" y1="${y(v)}" y2="${y(v)}" stroke="var(--line)" /><text class="faint" x="${margin.left - 8}" y="${y(v) + 4}" text-anchor="end">${v.toFixed(3)}</text>`)}
      ${points.map(({ candidate, fallback }, i) => html`${mark(i, -6, candidate, "--a")}${fallback === undefined ? html`` : mark(i, 6, fallback, "--b")}`)}
      ${labelled.filter(({ i }) => i % every === 0).map(({ label, i }) => html`<text x="${x(i)}" y="${height - 10}" text-anchor="middle">${label}</text>`)}
    </svg>
    <ul class="legend">
      <li><span class="swatch" style="background:var(--a)"></span>model</li>
      <li><span class="swatch" style="background:var(--b)"></span>fallback</li>
    </ul>`;
}
