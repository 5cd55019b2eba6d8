import { create } from "@bufbuild/protobuf";
import { HeddleError, present } from "@heddle/base";
import { type Evaluation, EvaluationSchema, type Metric } from "@heddle/proto/evaluator";
import type { Scorer } from "@heddle/model";
import type { ModelDefinition } from "@heddle/sdk";
import { calibration, logLoss, type RowMetric } from "@heddle/statistics";
import { trainingChecks } from "./compare-training.ts";
import type { EvaluationDeps } from "./deps.ts";
import type { EvaluationInput } from "./evaluation-input.ts";
import {
  everyRow,
  exampleMeasurements,
  gatherRows,
  ordersOf,
  type ScoredRows,
} from "../scoring/example-rows.ts";
import { grantDataset } from "./grant.ts";
import { limits } from "./limits.ts";
import { measure } from "../scoring/metric-message.ts";
import { rankingMeasurements } from "../ranking/ranking.ts";
import {
  type RankingThread,
  type RankingWork,
  rankTogether,
  takeParts,
} from "../ranking/ranking-work.ts";
import type { GrantedDataset } from "../scoring/reader.ts";
import { openPass, type ScorePart } from "../scoring/scoring-pass.ts";
import { correctForVisits } from "../scoring/prior.ts";
import type { Scores } from "../scoring/scores.ts";
import { chooseSlices, openSlicer, type SliceGroup, type Slicer } from "../scoring/slices.ts";
import { openSubject, type Subject } from "./subject.ts";
import { type Meter, openMeter } from "./meter.ts";
import type { Rivals } from "../scoring/rivals.ts";

type Asked = Omit<EvaluationInput, "fence" | "scheduler" | "peers" | "objects">;

/**
 * Measures a version beside the live one and the fallback: rows of the evaluation dataset, then all
 * candidates of the ranking dataset's visits, then its training data against the reference's.
 *
 * @throws {HeddleError} FAILED_PRECONDITION EMPTY_DATASET, MODEL_DOES_NOT_RANK, DATA_LOSS DATASET_DIFFERS, and what the
 * other services answer.
 */
export async function evaluate(
  deps: EvaluationDeps,
  input: Asked,
  signal: AbortSignal,
): Promise<Evaluation> {
  await using subject = await openSubject(deps, input, signal);
  const { definition, rivals, rowMetrics, trainingDataset } = subject;
  const reader = { purpose: definition.purpose, reader: input.job };
  const granted = (dataset: string) => grantDataset(deps, dataset, reader, signal);
  const dataset = await granted(input.dataset);
  const at = rankingDepth(definition, input.rankingDataset);
  const ranked = at === undefined ? undefined : await granted(input.rankingDataset);
  const threads = ranked === undefined ? [] : deps.openThreads(ranked.rows);
  const slicers = definition.slices.map((slice) => openSlicer(slice));
  const versions = rivals.live === undefined ? 1 : 2;
  const meter = openMeter(deps, versions, dataset.rows + (ranked?.rows ?? 0));
  const scored = (rows: number): void => {
    signal.throwIfAborted();
    meter.add(rows);
  };
  const score = openPass(deps.reader, rivals, slicers, scored);

  const rows = await meter.score(dataset.rows, () => scoredRows(score, dataset, rivals, slicers));
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
      : await measureRanking(
          deps,
          subject,
          { dataset: ranked, at, groups, threads, meter, scored },
          signal,
        );
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
    rowsPerCpuSecond: meter.rowsPerCpuSecond(),
  });
}

async function scoredRows(
  score: ScorePart,
  dataset: GrantedDataset,
  rivals: Rivals,
  slicers: readonly Slicer[],
): Promise<ScoredRows> {
  const gathered = gatherRows(dataset.rows, slicers, rivals.live !== undefined);
  for (const partition of dataset.partitions.keys()) {
    gathered.startPartition();
    await score(dataset, { partition }, gathered.add);
  }
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

/** What is ranked, and who hears of it. */
interface RankingTask {
  readonly dataset: GrantedDataset;
  readonly at: number;
  readonly groups: readonly { readonly group: SliceGroup; readonly slicer: Slicer }[];
  readonly threads: readonly RankingThread[];
  readonly meter: Meter;
  readonly scored: (rows: number) => void;
}

async function measureRanking(
  { reader }: EvaluationDeps,
  { definition, rivals, versions }: Subject,
  { dataset, at, groups, threads, meter, scored }: RankingTask,
  signal: AbortSignal,
): Promise<readonly Metric[]> {
  const work: RankingWork = {
    dataset,
    parts: await reader.parts(dataset),
    taken: new Int32Array(new SharedArrayBuffer(4)),
    rows: meter.rows,
    at,
    groups: groups.map(({ group, slicer }, i) => {
      return { slice: present(definition.slices[i], `slice ${i}`), met: slicer.met(), group };
    }),
    versions,
    fallback: rivals.fallback,
  };
  const here = () => takeParts(work, reader, rivals, scored);
  const parts = await meter.score(dataset.rows, () => rankTogether(work, here, threads));
  const measured = groups.map(({ group }) => group);
  const measurements = rankingMeasurements(at, parts, measured, limits.sliceVisitsMin);
  const clusters = parts.reduce((sum, { visits }) => sum + visits, 0);
  const { replicates, seed } = limits;
  return measure(measurements, { clusters, replicates, seed }, signal);
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
