import { present } from "@heddle/base";
import type { ScorerOptions } from "@heddle/model";
import type { Version } from "@heddle/proto/registry";
import type { MetricDefinition, ModelDefinition } from "@heddle/sdk";
import type { RowMetric } from "@heddle/statistics";
import { callMs, type EvaluationDeps } from "./deps.ts";
import { customMetric } from "../statistics/example-metrics.ts";
import { type Rivals, type Versions, openRivals } from "../scoring/rivals.ts";

/** The version to measure, with its rivals in memory. */
export interface Subject extends AsyncDisposable {
  readonly definition: ModelDefinition;
  readonly rivals: Rivals;
  /** Where the versions are, for those who load them once more. */
  readonly versions: Versions;
  /** Custom metrics of the model. */
  readonly rowMetrics: readonly RowMetric[];
  /** Dataset that the version was trained on. */
  readonly trainingDataset: string;
}

/** Looks everything up and loads the versions; on an error nothing stays loaded. */
export async function openSubject(
  deps: Pick<EvaluationDeps, "registry" | "evaluator" | "openModel">,
  input: { readonly version: string; readonly liveVersion: string },
  signal: AbortSignal,
): Promise<Subject> {
  const { registry, evaluator, openModel } = deps;
  const call = { timeoutMs: callMs, signal };
  const find = async (name: string): Promise<Version> =>
    present((await registry.getVersion({ version: name }, call)).version, `version ${name}`);
  const manifestOf = (version: Version): ScorerOptions["manifest"] => {
    const { name, sha256 } = present(version.manifest, `the manifest of ${version.version}`);
    return { name, sha256 };
  };

  await using stack = new AsyncDisposableStack();
  const version = await find(input.version);
  const recipe = present(version.recipe, `the recipe of ${version.version}`);
  const { configuration, dataset: trainingDataset } = recipe;
  const { definitionJson } = await registry.getConfiguration({ configuration }, call);
  const definition = JSON.parse(definitionJson) as ModelDefinition;
  const rowMetrics: RowMetric[] = [];
  for (const name of definition.metrics) {
    const answer = await evaluator.getMetric({ name }, call);
    rowMetrics.push(customMetric(JSON.parse(answer.definitionJson) as MetricDefinition));
  }
  const candidate = manifestOf(version);
  const versions: Versions =
    input.liveVersion === ""
      ? { candidate }
      : { candidate, live: manifestOf(await find(input.liveVersion)) };
  const rivals = await openRivals(versions, definition.fallback, openModel, stack);
  const opened = stack.move();
  return {
    definition,
    rivals,
    versions,
    rowMetrics,
    trainingDataset,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
