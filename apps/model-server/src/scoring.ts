import { type Clock, HeddleError, shortName } from "@heddle/base";
import type { Telemetry } from "@heddle/telemetry";
import { score } from "@heddle/model";
import { columnsFromRows } from "@heddle/transform";
import { featureTypes } from "./feature-types.ts";
import type { Row } from "./rows.ts";
import { type LoadedVersion, unknownModel, type Versions } from "./versions.ts";

export interface Scored {
  /** One score a row. */
  readonly scores: Float32Array | Float64Array;
  /** Version that gave all of them; empty for the fallback. */
  readonly version: string;
}

/** Answers requests: each from one version, chosen when the request comes. */
export interface Scoring {
  /** @throws {HeddleError} UNKNOWN_MODEL, MISSING_FEATURE, WRONG_TYPE. */
  predict(model: string, rows: readonly Row[], timeMs: number): Promise<Scored>;
  /** As `predict`, but by the fallback's feature when no version is routed or when asked to. */
  rank(model: string, rows: readonly Row[], timeMs: number, fallback: boolean): Promise<Scored>;
}

export function startScoring(versions: Versions, telemetry: Telemetry, clock: Clock): Scoring {
  const rowsScored = telemetry.counter("heddle.serving.rows", "{row}", "rows scored");
  const duration = telemetry.histogram("heddle.serving.duration", "ms", "time to score a request");

  /** Every answer is a span that names the version and the run it came from, and links to the trace of that run. */
  const answer = async (
    model: string,
    version: string,
    run: string,
    rows: number,
    score: () => Promise<Scored["scores"]>,
    madeBy = "",
  ): Promise<Scored> => {
    const attributes = { "heddle.model": model, "heddle.version": version, "heddle.run": run };
    const started = clock.monotonicMs();
    const scores = await telemetry.span(
      "model-server.answer",
      { attributes: { ...attributes, "heddle.rows": rows } },
      () => {
        if (madeBy !== "") telemetry.link(madeBy);
        return score();
      },
    );
    duration.record(clock.monotonicMs() - started, { "heddle.model": model });
    rowsScored.add(rows, { "heddle.model": model, "heddle.version": version });
    return { scores, version };
  };
  const byVersion = (loaded: LoadedVersion, rows: readonly Row[], timeMs: number) =>
    versions.using(loaded, () =>
      answer(
        ...([loaded.model, loaded.version, loaded.scorer.manifest.run, rows.length] as const),
        () => scoresOf(loaded, rows, timeMs),
        loaded.traceparent,
      ),
    );

  return {
    predict: async (model, rows, timeMs) => {
      const loaded = versions.routed(model);
      if (loaded === undefined) throw unknownModel(model);
      return byVersion(loaded, rows, timeMs);
    },
    rank: async (model, rows, timeMs, fallback) => {
      const loaded = fallback ? undefined : versions.routed(model);
      if (loaded !== undefined) return byVersion(loaded, rows, timeMs);
      const { feature } = versions.definition(model).fallback;
      return answer(model, "", "", rows.length, async () => valuesOf(rows, feature, timeMs));
    },
  };
}

async function scoresOf(
  { version, scorer, uses }: LoadedVersion,
  rows: readonly Row[],
  timeMs: number,
): Promise<Float32Array> {
  if (rows.length === 0) return new Float32Array();
  const scores = await score(scorer, columnsFromRows(rows, featureTypes(uses, rows), timeMs));
  if (scores.every(Number.isFinite)) return scores;
  throw new HeddleError(
    "INTERNAL",
    "SCORE_NOT_FINITE",
    `version ${shortName(version)} gave a score that is no number: roll it back`,
    { metadata: { version } },
  );
}

/** What the heuristic ranks by; a row of which nothing is known counts as 0, as all do without a feature. */
function valuesOf(rows: readonly Row[], feature: string | undefined, timeMs: number): Float64Array {
  if (feature === undefined) return new Float64Array(rows.length);
  const column = columnsFromRows(rows, { [feature]: "float64" }, timeMs).features[feature];
  return column === undefined || column.type === "category" ? new Float64Array() : column.values;
}

/** Rows in order of score, highest first; equal ones in the order they came. */
export function ranked(
  scores: Scored["scores"],
  limit: number,
): { readonly row: number; readonly score: number }[] {
  return Array.from(scores, (score, row) => ({ row, score }))
    .sort((a, b) => b.score - a.score || a.row - b.row)
    .slice(0, limit);
}

/** Largest difference; infinite when there is not one output for each recorded one, or one is no number. */
export function goldenError(golden: {
  readonly outputs: Float32Array;
  readonly recorded: Float32Array;
}): number {
  const { outputs, recorded } = golden;
  if (outputs.length !== recorded.length || outputs.length === 0) return Number.POSITIVE_INFINITY;
  let largest = 0;
  outputs.forEach((output, i) => {
    const difference = Math.abs(output - (recorded[i] ?? Number.NaN));
    largest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(largest, difference);
  });
  return largest;
}
