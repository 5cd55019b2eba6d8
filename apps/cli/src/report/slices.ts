import { count, difference, interval } from "../output/numbers.ts";
import type { Outcome } from "../pipeline/outcome.ts";
import { html, type Markup } from "./html.ts";
import { labelOf } from "./weeks.ts";

const slicesMax = 16;

/** AUC by slice for the newest evaluation, largest slices first. */
export function slicesTable(outcome: Outcome): Markup {
  const slices = (outcome.evaluation?.metrics ?? [])
    .filter(({ name, slice }) => name === "auc" && slice !== "")
    .sort((a, b) => Number(b.positives - a.positives))
    .slice(0, slicesMax);
  if (slices.length === 0) return html``;
  return html`<h2 id="slices">By slice, ${labelOf(outcome)}</h2>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>slice</th>
            <th>rows</th>
            <th>positives</th>
            <th>AUC</th>
            <th>vs live</th>
          </tr>
        </thead>
        <tbody>
          ${slices.map(
            (metric) =>
              html`<tr>
                <td>${metric.slice}</td>
                <td>${count(metric.count)}</td>
                <td>${count(metric.positives)}</td>
                <td>${interval(metric.candidate)}</td>
                <td>${difference(metric.versusLive)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}
