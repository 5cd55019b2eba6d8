import { clone, create, fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { canonicalJson, HeddleError, sha256 } from "@heddle/base";
import type { Objects } from "@heddle/objects";
import { type Evaluation, EvaluationSchema } from "@heddle/proto/evaluator";
import type { Interval } from "@heddle/statistics";

/** An evaluation as an object: canonical JSON, named by its content. */
export interface EvaluationObject {
  /** SHA-256 of its JSON. */
  readonly evaluation: string;
  readonly bytes: Uint8Array;
}

/**
 * Checks an evaluation and names it.
 *
 * @throws {HeddleError} INVALID_ARGUMENT EVALUATION_INVALID naming what is wrong.
 */
export function nameEvaluation(given: Evaluation | undefined): EvaluationObject {
  if (given === undefined) throw invalid("it is missing");
  check(given);
  const unnamed = clone(EvaluationSchema, given);
  unnamed.evaluation = "";
  const bytes = Buffer.from(canonicalJson(toJson(EvaluationSchema, unnamed)));
  return { evaluation: sha256(bytes), bytes };
}

/** Where an evaluation's object lies. */
const objectName = (evaluation: string): string => `evaluations/${evaluation}.json`;

export async function putEvaluation(objects: Objects, of: EvaluationObject): Promise<void> {
  await objects.put(objectName(of.evaluation), of.bytes);
}

/** @throws {HeddleError} DATA_LOSS OBJECT_CORRUPT when the bytes are not those of that name. */
export async function getRecorded(objects: Objects, evaluation: string): Promise<Evaluation> {
  const bytes = await objects.get(objectName(evaluation), evaluation);
  const json = JSON.parse(Buffer.from(bytes).toString()) as JsonValue;
  return create(EvaluationSchema, { ...fromJson(EvaluationSchema, json), evaluation });
}

function check(of: Evaluation): void {
  const { model, version, dataset, trainingDataset } = of;
  for (const [name, value] of Object.entries({ model, version, dataset, trainingDataset })) {
    if (value === "") throw invalid(`its ${name} is empty`);
  }
  if (of.rows === 0n || of.positives > of.rows) {
    throw invalid(`it has ${of.positives} positives among ${of.rows} rows`);
  }
  const seen = new Set<string>();
  for (const metric of of.metrics) {
    const name = metric.slice === "" ? metric.name : `${metric.name} of ${metric.slice}`;
    if (seen.has(name)) throw invalid(`${name} is there twice`);
    seen.add(name);
    const { candidate, live, fallback, versusLive, versusFallback } = metric;
    for (const interval of [candidate, live, fallback, versusLive, versusFallback]) {
      if (interval !== undefined && !isInterval(interval)) {
        throw invalid(`an interval of ${name} is not finite or upside down`);
      }
    }
  }
  for (const { name, value, low, high, reference } of of.dataChecks) {
    if (!isInterval({ value, low, high }) || !Number.isFinite(reference)) {
      throw invalid(`data check ${name} is not finite or upside down`);
    }
  }
}

function isInterval({ value, low, high }: Interval): boolean {
  return [value, low, high].every(Number.isFinite) && low <= high;
}

function invalid(why: string): HeddleError {
  return new HeddleError("INVALID_ARGUMENT", "EVALUATION_INVALID", `the evaluation: ${why}`);
}
