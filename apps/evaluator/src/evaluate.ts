import { create } from "@bufbuild/protobuf";
import { HeddleError, present } from "@heddle/base";
import { type Evaluation, EvaluationSchema, type Metric } from "@heddle/proto/evaluator";
import type { Scorer } from "@heddle/model";
import type { ModelDefinition } from "@heddle/sdk";
import { trainingChecks } from "./compare-training.ts";
import type { EvaluationDeps } from "./deps.ts";
import type { EvaluationInput } from "./evaluation-input.ts";
import {
  everyRow,
  exampleMeasurements,
  gatherRows,
  ordersOf,
  type ScoredRows,
} from "./example-rows.ts";
import { grantDataset } from "./grant.ts";
import { limits } from "./limits.ts";
import { measure } from "./metric-message.ts";
import { openRanking } from "./ranking.ts";
import type { GrantedDataset } from "./reader.ts";
import { openPass, type ScoringPass } from "./scoring-pass.ts";
import { correctForVisits } from "./prior.ts";
import type { Rivals, Scores } from "./scores.ts";
import { chooseSlices, openSlicer, type SliceGroup, type Slicer } from "./slices.ts";
import { calibration, logLoss, type RowMetric } from "./statistics/example-metrics.ts";
import { openSubject } from "./subject.ts";

type Subject = Omit<EvaluationInput, "fence" | "scheduler" | "peers" | "objects">;

/**
 * Measures a version beside the live one and the fallback: rows of the evaluation dataset, then all
 * candidates of the ranking dataset's visits, then its training data against the reference's.
 *
 * @throws {HeddleError} FAILED_PRECONDITION EMPTY_DATASET, MODEL_DOES_NOT_RANK, DATA_LOSS DATASET_DIFFERS, and what the
 * other services answer.
 */
export async function evaluate(
  deps: EvaluationDeps,
  input: Subject,
  signal: AbortSignal,
): Promise<Evaluation> {
  await using subject = await openSubject(deps, input, signal);
  const { definition, rivals, rowMetrics, trainingDataset } = subject;
  const reader = { purpose: definition.purpose, reader: input.job };
  const granted = (dataset: string) => grantDataset(deps, dataset, reader, signal);
  const dataset = await granted(input.dataset);
  const at = rankingDepth(definition, input.rankingDataset);
  const ranked = at === undefined ? undefined : await granted(input.rankingDataset);
  const slicers = definition.slices.map(openSlicer);
  const pass = openPass(deps, rivals, slicers, dataset.rows + (ranked?.rows ?? 0));

  const rows = await scoredRows(pass, dataset, rivals, slicers, signal);
  const groups = slicers.map((slicer, i) => ({
    slicer,
    codes: present(rows.codes[i], `codes of slice ${i}`),
    group: chooseSlices(
      slicer,
      present(rows.codes[i], `codes of slice ${i}`),
      rows.label,
      limits.sliceValuesMax,
    ),
  }));
  const metrics = await deps.telemetry.span("measure rows", {}, () =>
    measureRows(rows, [logLoss, calibration, ...rowMetrics], groups, signal),
  );
  const ranking =
    ranked === undefined || at === undefined
      ? []
      : await measureRanking(pass, ranked, at, groups, signal);
  const dataChecks = await trainingChecks(deps, trainingDataset, input, definition, signal);
  return create(EvaluationSchema, {
    model: definition.name,
    version: rivals.candidate.version,
    liveVersion: rivals.live?.version ?? "",
    dataset: dataset.dataset,
    rankingDataset: ranked?.dataset ?? "",
    trainingDataset,
    referenceDataset: input.referenceDataset,
    rows: BigInt(dataset.rows),
    positives: BigInt(dataset.positives),
    metrics: [...metrics, ...ranking],
    dataChecks: [...dataChecks],
    rowsPerCpuSecond: pass.rowsPerCpuSecond(),
  });
}

async function scoredRows(
  pass: ScoringPass,
  dataset: GrantedDataset,
  rivals: Rivals,
  slicers: readonly Slicer[],
  signal: AbortSignal,
): Promise<ScoredRows> {
  const gathered = gatherRows(dataset.rows, slicers, rivals.live !== undefined);
  await pass.run(dataset, signal, gathered.add, gathered.startPartition);
  const rows = gathered.rows();
  const corrected = (of: Scores["candidate"], { manifest }: Scorer) =>
    correctForVisits(of, rows, manifest.negativeSamplingRate);
  const { candidate, live, fallback } = rows.scores;
  const scores = {
    candidate: corrected(candidate, rivals.candidate),
    ...(live === undefined || rivals.live === undefined
      ? {}
      : { live: corrected(live, rivals.live) }),
    fallback,
  };
  return { ...rows, scores };
}

/** Group by group, so that only one group's sorted rows are in memory; all see the same draws. */
async function measureRows(
  rows: ScoredRows,
  rowMetrics: readonly RowMetric[],
  groups: readonly { readonly group: SliceGroup; readonly codes: Int32Array }[],
  signal: AbortSignal,
): Promise<readonly Metric[]> {
  const orders = ordersOf(rows.scores);
  const { replicates, seed, slicePositivesMin } = limits;
  const resampling = { clusters: rows.clusters, replicates, seed };
  const metrics: Metric[] = [];
  for (const [of, positivesMin] of [
    [everyRow(rows), 0] as const,
    ...groups.map((group) => [group, slicePositivesMin] as const),
  ]) {
    const measurements = exampleMeasurements(rows, orders, rowMetrics, of, positivesMin);
    metrics.push(...(await measure(measurements, resampling, signal)));
  }
  return metrics;
}

async function measureRanking(
  pass: ScoringPass,
  dataset: GrantedDataset,
  at: number,
  groups: readonly { readonly group: SliceGroup; readonly slicer: Slicer }[],
  signal: AbortSignal,
): Promise<readonly Metric[]> {
  const ranking = openRanking(at, pass.withLive, groups, limits.sliceVisitsMin);
  await pass.run(dataset, signal, ranking.add);
  const { replicates, seed } = limits;
  return measure(ranking.measurements(), { clusters: ranking.visits, replicates, seed }, signal);
}

/**
 * The last rank that counts; undefined when there is no ranking to measure.
 *
 * @throws {HeddleError} FAILED_PRECONDITION MODEL_DOES_NOT_RANK.
 */
function rankingDepth({ name, examples }: ModelDefinition, dataset: string): number | undefined {
  if (dataset === "") return undefined;
  if (examples.kind === "candidates") return examples.ranking.at;
  throw new HeddleError(
    "FAILED_PRECONDITION",
    "MODEL_DOES_NOT_RANK",
    `model ${name} has examples of kind rows, so dataset ${dataset} cannot rank candidates: leave the ranking dataset out of its pipeline`,
  );
}
