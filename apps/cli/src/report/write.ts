import { renameSync, writeFileSync } from "node:fs";
import { HeddleError } from "@heddle/base";
import { type PipelineRun, Status } from "@heddle/proto/scheduler";
import type { Clients } from "../host/clients.ts";
import { when } from "../output/numbers.ts";
import { type Outcome, outcomeOf } from "../pipeline/outcome.ts";
import { aucChart } from "./chart.ts";
import { html, type Markup } from "./html.ts";
import { lineagePicture } from "./lineage-picture.ts";
import { page } from "./page.ts";
import { slicesTable } from "./slices.ts";
import { whereTimeWent } from "./time.ts";
import { refusals, weeksTable } from "./weeks.ts";

const timeoutMs = 60_000;
const runsMax = 100;

/**
 * Writes a pipeline's history as one page.
 *
 * @throws {HeddleError} NOT_FOUND NO_RUNS when the pipeline has no run that ended well.
 */
export async function writeReport(
  clients: Clients,
  pipeline: string,
  file: string,
): Promise<{ readonly runs: number }> {
  const { runs } = await clients.scheduler.listPipelineRuns(
    { pipeline, pageSize: runsMax },
    { timeoutMs },
  );
  const ended = runs.filter(({ status }) => status === Status.SUCCEEDED).reverse();
  const outcomes: Outcome[] = [];
  for (const run of ended) outcomes.push(await outcomeOf(clients, run));
  const newest = outcomes.at(-1);
  if (newest === undefined) {
    throw new HeddleError(
      "NOT_FOUND",
      "NO_RUNS",
      `pipeline ${pipeline} has no finished run to report; see "heddle runs"`,
    );
  }
  const sections = [
    heading(pipeline, newest.run),
    weeksTable(outcomes),
    aucChart(outcomes),
    refusals(outcomes),
    await lineageOf(clients, newest.run.model),
    slicesTable(newest),
    whereTimeWent(outcomes),
  ];
  writeFileSync(`${file}.new`, page(`Heddle · ${pipeline}`, sections));
  renameSync(`${file}.new`, file);
  return { runs: outcomes.length };
}

function heading(pipeline: string, newest: PipelineRun): Markup {
  return html`<h1>${pipeline}</h1>
    <p class="faint">model ${newest.model} · last run ended ${when(newest.endedTimeMs)}</p>`;
}

async function lineageOf(clients: Clients, model: string): Promise<Markup> {
  const { version } = await clients.registry.whatWasLive({ model }, { timeoutMs });
  if (version === undefined) return html``;
  const graph = await clients.registry.lineage({ node: version.version }, { timeoutMs });
  return lineagePicture(graph, `Where the served version v${version.number} came from`);
}
