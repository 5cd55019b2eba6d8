import { HeddleError } from "@heddle/base";
import { didYouMean, parseStrict } from "@heddle/config";
import type { PipelineDefinition } from "@heddle/sdk";
import { inputsOf, stepsBefore } from "./graph.ts";
import { isOfLog } from "./log-windows.ts";
import { PipelineSchema } from "./schema.ts";

/** A pipeline as it is kept. */
export interface PipelineState {
  readonly definition: PipelineDefinition;
  /** Its steps as they were written: a store need not keep the order of keys. */
  readonly order: readonly string[];
  /** Content name of the definition. */
  readonly digest: string;
}

export interface PipelineLimits {
  readonly stepsMax: number;
  readonly jobsMax: number;
}

/**
 * Reads and checks a pipeline definition.
 *
 * @throws {HeddleError} INVALID_ARGUMENT DEFINITION_INVALID for unknown keys, wrong values, or a step that
 *   reads another's output without coming after it; UNKNOWN_STEP; STEP_CYCLE with the steps of the cycle.
 */
export function parsePipeline(json: string, limits: PipelineLimits): PipelineDefinition {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "DEFINITION_INVALID",
      "the pipeline definition is not JSON: send what definePipeline returns",
      { cause },
    );
  }
  const definition = parseStrict(PipelineSchema, value, titleOf(value), "DEFINITION_INVALID");
  checkLimits(definition, limits);
  checkReferences(definition);
  checkCycles(definition);
  checkInputs(definition);
  checkLog(definition);
  return definition;
}

const titleOf = (value: unknown): string => {
  const named = value as { name?: unknown } | null;
  return `pipeline definition ${typeof named?.name === "string" ? named.name : ""}`.trim();
};

function checkLimits(definition: PipelineDefinition, { stepsMax, jobsMax }: PipelineLimits): void {
  const steps = Object.entries(definition.steps);
  if (steps.length === 0 || steps.length > stepsMax) {
    throw invalid(definition, `it has ${steps.length} steps; 1 to ${stepsMax} are allowed`);
  }
  for (const [step, body] of steps) {
    if (body.kind === "train" && body.shards === 0 && (body.learners ?? 1) > 1) {
      throw invalid(
        definition,
        `step ${step} has ${body.learners} learners and no shards: with 0 shards one learner keeps the parameters itself; give it a shard or more, which all of them reach`,
      );
    }
    const jobs = body.kind === "train" ? body.shards + (body.learners ?? 1) : 1;
    if (jobs <= jobsMax) continue;
    throw invalid(
      definition,
      `step ${step} needs ${jobs} jobs at once (its shards and learners), and ${jobsMax} may run: use fewer of them or raise jobsMax`,
    );
  }
}

function checkReferences(definition: PipelineDefinition): void {
  const known = Object.keys(definition.steps);
  for (const [step, body] of Object.entries(definition.steps)) {
    for (const other of [...(body.after ?? []), ...inputsOf(body).map((input) => input.step)]) {
      if (known.includes(other)) continue;
      const meant = didYouMean(other, known);
      const remedy =
        meant === undefined ? `its steps are ${known.join(", ")}` : `did you mean "${meant}"?`;
      throw new HeddleError(
        "INVALID_ARGUMENT",
        "UNKNOWN_STEP",
        `pipeline ${definition.name}: step ${step} names the step "${other}", which is not there; ${remedy}`,
      );
    }
  }
}

function checkCycles(definition: PipelineDefinition): void {
  const done = new Set<string>();
  const visit = (step: string, path: readonly string[]): void => {
    if (done.has(step)) return;
    const start = path.indexOf(step);
    if (start >= 0) throw cycle(definition, [...path.slice(start), step]);
    for (const before of definition.steps[step]?.after ?? []) visit(before, [...path, step]);
    done.add(step);
  };
  for (const step of Object.keys(definition.steps)) visit(step, []);
}

function checkInputs(definition: PipelineDefinition): void {
  for (const [step, body] of Object.entries(definition.steps)) {
    const before = stepsBefore(definition, step);
    for (const input of inputsOf(body)) {
      const kind = definition.steps[input.step]?.kind;
      if (kind !== input.kind) {
        throw invalid(
          definition,
          `step ${step} (${body.kind}) reads step ${input.step}, which must be of kind ${input.kind}, not ${kind}`,
        );
      }
      if (before.has(input.step)) continue;
      throw invalid(
        definition,
        `step ${step} reads step ${input.step} without coming after it: add "${input.step}" to its after`,
      );
    }
  }
}

/** A run's window is one of the log for all of its datasets, or for none. */
function checkLog(definition: PipelineDefinition): void {
  const ranges = Object.entries(definition.steps).flatMap(([step, body]) =>
    body.kind === "build-dataset" ? [{ step, ofLog: isOfLog(body.partitions) }] : [],
  );
  const [ofLog, other] = [
    ranges.find((range) => range.ofLog),
    ranges.find((range) => !range.ofLog),
  ];
  if (ofLog === undefined || other === undefined) return;
  throw invalid(
    definition,
    `step ${ofLog.step} takes windows of the event log and step ${other.step} partitions of the model: give them pipelines of their own`,
  );
}

function cycle(definition: PipelineDefinition, path: readonly string[]): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "STEP_CYCLE",
    `pipeline ${definition.name}: steps wait for each other: ${path.join(" after ")}; remove one of these from an after`,
  );
}

function invalid(definition: PipelineDefinition, problem: string): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "DEFINITION_INVALID",
    `pipeline ${definition.name}: ${problem}`,
  );
}
