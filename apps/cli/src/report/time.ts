import type { TrainingSummary } from "@heddle/proto/registry";
import { bytes, count, seconds } from "../output/numbers.ts";
import type { Outcome } from "../pipeline/outcome.ts";
import { html, type Markup } from "./html.ts";
import { labelOf } from "./weeks.ts";

const colours = [
  "#2457a6",
  "#d98032",
  "#3b8f68",
  "#9b59b6",
  "#c0434b",
  "#708090",
  "#b8a13a",
  "#4fa3b8",
];

/** Where a run's time went: its steps, and within training the learner's stages. */
export function whereTimeWent(outcomes: readonly Outcome[]): Markup {
  return html`<h2 id="time">Where the time went</h2>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>run</th>
            <th>steps</th>
            <th>examples/s</th>
            <th>per CPU-second</th>
            <th>steps ran as</th>
            <th>learner memory</th>
            <th>the learner's wall time by stage</th>
          </tr>
        </thead>
        <tbody>
          ${outcomes.map(row)}
        </tbody>
      </table>
    </div>
    ${legend(outcomes)}`;
}

const stagesOf = (outcome: Outcome): [string, number][] =>
  Object.entries(outcome.version?.training?.stageShares ?? {}).sort(([a], [b]) =>
    a.localeCompare(b),
  );

function row(outcome: Outcome): Markup {
  const training = outcome.version?.training;
  const steps = outcome.run.steps
    .filter(({ attempts }) => attempts.length > 0)
    .map(({ step, attempts }) => {
      const took = attempts.reduce(
        (sum, a) => sum + Math.max(0, Number(a.endedTimeMs - a.startedTimeMs)),
        0,
      );
      return `${step} ${seconds(took / 1_000)}`;
    });
  const trained = Number(training?.attemptExamples ?? 0);
  const rate = (per: number | undefined): string =>
    per === undefined || per === 0 ? "–" : count(Math.round(trained / per));
  return html`<tr>
    <td>${labelOf(outcome)}</td>
    <td class="wide">${steps.join(", ")}</td>
    <td>${rate(training?.wallSeconds)}</td>
    <td>${rate(training?.cpuSeconds)}</td>
    <td class="wide">${ranAs(training)}</td>
    <td>${bytes(training?.peakMemoryBytes ?? 0n)}</td>
    <td>${bar(outcome)}</td>
  </tr>`;
}

/** Which executor, and why op by op where it was. */
function ranAs(training: TrainingSummary | undefined): string {
  if (training === undefined || training.stepExecutor === "") return "–";
  const { stepExecutor, fallbackReason } = training;
  return fallbackReason === "" ? stepExecutor : `${stepExecutor}, because ${fallbackReason}`;
}

function bar(outcome: Outcome): Markup {
  const width = 260;
  let left = 0;
  const parts = stagesOf(outcome).map(([stage, share], i) => {
    const part = html`<rect
      x="${left * width}"
      y="2"
      width="${share * width}"
      height="16"
      fill="${colours[i % colours.length] ?? ""}"
      ><title>${stage} ${(100 * share).toFixed(0)} %</title></rect
    >`;
    left += share;
    return part;
  });
  const words = stagesOf(outcome).map(([stage, share]) => `${stage} ${(100 * share).toFixed(0)} %`);
  return html`<svg
    viewBox="0 0 ${width} 20"
    width="${width}"
    role="img"
    aria-label="${words.join(", ")}"
  >
    ${parts}
  </svg>`;
}

function legend(outcomes: readonly Outcome[]): Markup {
  const stages = stagesOf(
    outcomes.find((outcome) => stagesOf(outcome).length > 0) ?? (outcomes[0] as Outcome),
  );
  return html`<ul class="legend">
    ${stages.map(
      ([stage], i) =>
        html`<li>
          <span class="swatch" style="background:${colours[i % colours.length] ?? ""}"></span
          >${stage}
        </li>`,
    )}
  </ul>`;
}
