import type { TrainingSummary } from "@heddle/proto/registry";
import { bytes, count, seconds } from "../output/numbers.ts";
import type { Outcome } from "../pipeline/outcome.ts";
import { html, type Markup } from "./html.ts";
import { remarksOn } from "./remarks/remarks.ts";
import { trafficLine } from "./traffic.ts";
import { stagesOf, together, waitingLine } from "./waiting.ts";
import { labelOf } from "./weeks.ts";

/** Computing stands out; what it waits for has a colour each, and what is neither is grey. */
const colours: Readonly<Record<string, string>> = {
  start: "#c3cad3",
  compute: "#2457a6",
  read: "#3b8f68",
  transform: "#b8a13a",
  pull: "#d98032",
  push: "#c0434b",
  snapshot: "#9b59b6",
  other: "#8a94a3",
};
const colourOf = (stage: string): string => colours[stage] ?? "#4fa3b8";

/** Where a run's time went: its steps, and within training the learner's stages; and what else is to be known of trainings. */
export function whereTimeWent(outcomes: readonly Outcome[]): Markup {
  const trainings = outcomes.flatMap(({ version }) => version?.training ?? []);
  return html`<h2 id="time">Where the time went</h2>
    <p>Learners spent their wall time ${waitingLine(together(trainings))}.</p>
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
            <th>learner's wall time</th>
          </tr>
        </thead>
        <tbody>
          ${outcomes.map(row)}
        </tbody>
      </table>
    </div>
    ${legend(outcomes)} ${newestQueues(trainings.at(-1))} ${remarks(outcomes)}`;
}

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
    <td class="wide">
      ${bar(training)}
      <span class="faint">${training === undefined ? "" : waitingLine(training)}</span>
    </td>
  </tr>`;
}

/** Which executor, and why op by op where it was. */
function ranAs(training: TrainingSummary | undefined): string {
  if (training === undefined || training.stepExecutor === "") return "–";
  const { stepExecutor, fallbackReason } = training;
  return fallbackReason === "" ? stepExecutor : `${stepExecutor}, because ${fallbackReason}`;
}

function remarks(outcomes: readonly Outcome[]): Markup {
  const lines = outcomes.flatMap((outcome) =>
    remarksOn(outcome.version?.training).map(
      (line) => html`<li>${labelOf(outcome)}: ${line}.</li>`,
    ),
  );
  return lines.length === 0
    ? html``
    : html`<ul>
        ${lines}
      </ul>`;
}

function bar(training: TrainingSummary | undefined): Markup {
  const width = 260;
  let left = 0;
  const parts = stagesOf(training).map(([stage, share]) => {
    const part = html`<rect
      x="${left * width}"
      y="2"
      width="${share * width}"
      height="16"
      fill="${colourOf(stage)}"
      ><title>${stage} ${(100 * share).toFixed(0)} %</title></rect
    >`;
    left += share;
    return part;
  });
  const words = stagesOf(training).map(
    ([stage, share]) => `${stage} ${(100 * share).toFixed(0)} %`,
  );
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
  const shown = outcomes.find(({ version }) => stagesOf(version?.training).length > 0);
  return html`<ul class="legend">
    ${stagesOf(shown?.version?.training).map(
      ([stage]) =>
        html`<li><span class="swatch" style="background:${colourOf(stage)}"></span>${stage}</li>`,
    )}
  </ul>`;
}

/** What lies behind the shares of the newest training; nothing for a version of an earlier release. */
function newestQueues(training: TrainingSummary | undefined): Markup {
  if (training === undefined || training.bottleneck === "") return html``;
  const { stageCpuSeconds, queues, loopDelayP99Ms } = training;
  const cpu = Object.entries(stageCpuSeconds)
    .sort(([, a], [, b]) => b - a)
    .map(([stage, spent]) => `${stage} ${seconds(spent)}`);
  const depths = Object.entries(queues)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, { mean, max }]) => `${name} ${mean.toFixed(1)} (${max})`);
  const traffic = trafficLine(training);
  return html`<p class="faint">
    The newest training: CPU ${cpu.join(", ")}. Queues, mean (most): ${depths.join(", ")}. Event
    loop of the learner's main thread ${loopDelayP99Ms.toFixed(0)} ms late (99th percentile).
    ${traffic === undefined ? "" : `Between learner and shards ${traffic}.`}
  </p>`;
}
