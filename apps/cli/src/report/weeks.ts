import { shortName } from "@heddle/base";
import { count, difference, interval } from "../output/numbers.ts";
import { metricOf, type Outcome, rankingOf } from "../pipeline/outcome.ts";
import { html, type Markup, twoLines } from "./html.ts";

/** The table of runs × metrics: figures with intervals, rivals, verdict, and what was proven of what serves. */
export function weeksTable(outcomes: readonly Outcome[]): Markup {
  const ranking = outcomes.map(({ evaluation }) => rankingOf(evaluation)).find(Boolean);
  return html`<h2 id="weeks">Runs</h2>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>trained through</th>
            <th>verdict</th>
            <th>examples</th>
            <th>AUC</th>
            <th>vs live</th>
            <th>vs fallback</th>
            ${ranking === undefined ? "" : html`<th>${ranking.name.toUpperCase()}</th>`}
            <th>log loss</th>
            <th>calibration</th>
            <th>version</th>
          </tr>
        </thead>
        <tbody>
          ${outcomes.map((outcome) => row(outcome, ranking !== undefined))}
        </tbody>
      </table>
    </div>
    <p class="faint">
      In brackets the 95 % interval, by a bootstrap over
      ${ranking === undefined ? "rows" : "visits"}; differences are paired. A verdict uses the
      interval, never the point.
    </p>`;
}

/** Every check that failed, in words. */
export function refusals(outcomes: readonly Outcome[]): Markup {
  const refused = outcomes.filter(({ verdict }) => verdict !== "pass");
  if (refused.length === 0) return html``;
  return html`<h2 id="refused">Refused, and why</h2>
    ${refused.map(
      (outcome) =>
        html`<p>
            <strong>${labelOf(outcome)}</strong>, version
            <code>${shortName(outcome.version?.version ?? "")}</code>: nothing of it was served.
          </p>
          <ul>
            ${(outcome.version?.failedChecks ?? []).map((check) => html`<li>${check}</li>`)}
          </ul>`,
    )}`;
}

export function labelOf({ run }: Outcome): string {
  return run.variant === "" ? run.window : `${run.window} (${run.variant})`;
}

function row(outcome: Outcome, ranks: boolean): Markup {
  const { evaluation, version, serving } = outcome;
  const auc = metricOf(evaluation, "auc");
  const proof =
    serving === undefined || serving.version !== version?.version
      ? ""
      : `serves, memory digest ${shortName(serving.reportedDigest)} verified`;
  return html`<tr>
    <td>${labelOf(outcome)}</td>
    <td>${verdict(outcome.verdict)}</td>
    <td>${count(version?.training?.examples ?? 0n)}</td>
    <td>${twoLines(interval(auc?.candidate))}</td>
    <td>${twoLines(difference(auc?.versusLive))}</td>
    <td>${twoLines(difference(auc?.versusFallback))}</td>
    ${ranks ? html`<td>${twoLines(interval(rankingOf(evaluation)?.candidate))}</td>` : ""}
    <td>${twoLines(interval(metricOf(evaluation, "log-loss")?.candidate, 4))}</td>
    <td>${twoLines(interval(metricOf(evaluation, "calibration")?.candidate, 2))}</td>
    <td class="wide">
      v${version?.number ?? 0} <code>${shortName(version?.version ?? "")}</code><br /><span
        class="faint"
        >${proof}</span
      >
    </td>
  </tr>`;
}

function verdict(word: string): Markup {
  if (word === "pass") return html`<span class="pass">✓ pass</span>`;
  if (word === "fail") return html`<span class="fail">✗ refused</span>`;
  return html`<span class="doubt">? ${word === "" ? "not judged" : "not enough data"}</span>`;
}
