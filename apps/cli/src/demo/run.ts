import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { HeddleError } from "@heddle/base";
import type { Definition, ExecutorKind, PipelineDefinition } from "@heddle/sdk";
import type { Context, HostFlags } from "../context.ts";
import type { Clients } from "../host/clients.ts";
import { bytes, count, seconds } from "../output/numbers.ts";
import { openProgress, type Progress } from "../output/progress.ts";
import { failureOf, runPipeline } from "../pipeline/follow.ts";
import { type Outcome, outcomeOf } from "../pipeline/outcome.ts";
import { outcomeHead, outcomeLines } from "../pipeline/outcome-text.ts";
import { applyDefinitions } from "../project/apply.ts";
import { ingestFile } from "../project/ingest.ts";
import { computingBar, type StageTimes, together, waitingLine } from "../report/waiting.ts";
import { writeReport } from "../report/write.ts";
import { meterMemory } from "./memory.ts";
import type { Chapter, Story } from "./story.ts";

export interface DemoFlags extends HostFlags {
  readonly small: boolean;
  readonly fresh: boolean;
  readonly quiet: boolean;
  readonly executor?: ExecutorKind;
  readonly shards?: number;
}

const barWidth = 16;
const examples = join(import.meta.dirname, "../../../../examples");

/** Plays an example's story: definitions, events week by week, training, gate, serving, report. */
export async function runDemo(context: Context, flags: DemoFlags, name: string): Promise<void> {
  const story = await loadStory(name);
  if (flags.fresh) rmSync(flags.state, { recursive: true, force: true });
  prepareState(flags.state, story);
  const say = (text: string): void => {
    if (!flags.json) context.process.stdout.write(`${text}\n`);
  };
  say([context.palette.strong(story.title), ...story.introduction, ""].join("\n"));

  const started = performance.now();
  using memory = meterMemory();
  const outcomes = await context.withHost(flags.state, async (clients) => {
    using progress = openProgress(context.process.stderr, flags.quiet, Date.now);
    const definitions = await story.definitions(flags.small);
    await applyDefinitions(clients, withTraining(definitions, flags));
    const done = await playChapters(
      clients,
      story,
      flags,
      progress,
      (outcome, label) => say(outcomeLines(outcome, label, context.palette)),
      say,
    );
    progress.say("asking the served version");
    const finale = await story.finale({ clients, progress, outcomes: done, small: flags.small });
    progress.say("writing the report");
    await writeReport(clients, story.pipeline, join(flags.state, "report.html"));
    say(`\n${finale}`);
    return done;
  });
  const facts = summary(outcomes, (performance.now() - started) / 1_000, memory.peakBytes());
  if (flags.json) context.print(flags, { ...facts, outcomes }, () => "");
  else say(closing(facts, story, flags));
}

/** The definitions, with what is asked of training otherwise than by their pipelines. */
export function withTraining(
  definitions: readonly Definition[],
  { executor, shards }: Pick<DemoFlags, "executor" | "shards">,
): readonly Definition[] {
  const asked = {
    ...(executor !== undefined && { executor }),
    ...(shards !== undefined && { shards }),
  };
  const asking = (steps: PipelineDefinition["steps"]): PipelineDefinition["steps"] =>
    Object.fromEntries(
      Object.entries(steps).map(([name, step]) => [
        name,
        step.kind === "train" ? { ...step, ...asked } : step,
      ]),
    );
  return definitions.map((its) =>
    its.kind === "pipeline" ? { ...its, steps: asking(its.steps) } : its,
  );
}

async function loadStory(name: string): Promise<Story> {
  const file = join(examples, name, "src", "story.ts");
  if (!existsSync(file)) {
    throw new HeddleError("NOT_FOUND", "UNKNOWN_EXAMPLE", `no example "${name}"; there is: grocer`);
  }
  const { story } = (await import(pathToFileURL(file).href)) as { story: Story };
  return story;
}

/** The pseudonym key is set before the first host starts, so that every machine sees the same bytes. */
function prepareState(state: string, story: Story): void {
  const key = join(state, "pseudonym.key");
  if (existsSync(key)) return;
  mkdirSync(dirname(key), { recursive: true });
  writeFileSync(key, story.pseudonymKey, { mode: 0o600 });
}

async function playChapters(
  clients: Clients,
  story: Story,
  flags: DemoFlags,
  progress: Progress,
  show: (outcome: Outcome, label: string) => void,
  say: (text: string) => void,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const chapters = await story.chapters(flags.small, join(flags.state, "work"));
  for (const [i, chapter] of chapters.entries()) {
    const run = await playChapter(clients, chapter, progress);
    const outcome = await outcomeOf(clients, run);
    outcomes.push(outcome);
    if (i === 0) say(outcomeHead(outcome));
    if (chapter.remark !== undefined) say(`  ${chapter.remark}`);
    show(outcome, chapter.label);
  }
  return outcomes;
}

async function playChapter(clients: Clients, chapter: Chapter, progress: Progress) {
  await arrive(clients, chapter, progress);
  const [run] = await Promise.all([
    runPipeline(clients, chapter, progress),
    chapter.materialise?.(clients),
  ]);
  const failure = failureOf(run);
  if (failure !== undefined) throw failure;
  return run;
}

/** Files of one source arrive in their order, those of different sources side by side. */
async function arrive(
  clients: Clients,
  { label, arrivals }: Chapter,
  progress: Progress,
): Promise<void> {
  let done = 0;
  const bySource = Map.groupBy(arrivals, ({ source }) => source);
  const arriving = [...bySource].map(async ([source, files]) => {
    for (const { file, branch } of files) {
      await ingestFile(clients, file, branch === undefined ? { source } : { source, branch });
      done += 1;
      progress.say(`${label}: events arrive (${source}, ${done} of ${arrivals.length})`);
    }
  });
  await Promise.all(arriving);
}

interface Facts {
  readonly examples: number;
  readonly examplesPerSecond: number;
  readonly examplesPerCpuSecond: number;
  readonly executor: string;
  /** Of the learners' wall time, over all trainings. */
  readonly stages: StageTimes;
  readonly totalSeconds: number;
  readonly peakMemoryBytes: number | undefined;
}

function summary(
  outcomes: readonly Outcome[],
  totalSeconds: number,
  peak: number | undefined,
): Facts {
  const trainings = outcomes.flatMap(({ version }) => version?.training ?? []);
  const sum = (pick: (training: (typeof trainings)[number]) => number): number =>
    trainings.reduce((total, training) => total + pick(training), 0);
  const trained = sum((training) => Number(training.attemptExamples));
  return {
    examples: sum((training) => Number(training.examples)),
    examplesPerSecond: trained / sum((training) => training.wallSeconds),
    examplesPerCpuSecond: trained / sum((training) => training.cpuSeconds),
    executor: trainings[0]?.executor ?? "",
    stages: together(trainings),
    totalSeconds,
    peakMemoryBytes: peak,
  };
}

function closing(facts: Facts, story: Story, flags: DemoFlags): string {
  const memory =
    facts.peakMemoryBytes === undefined ? "not measured here" : bytes(facts.peakMemoryBytes);
  return [
    "",
    `trained   ${count(facts.examples)} examples at ${count(Math.round(facts.examplesPerSecond))} examples/s, ${count(Math.round(facts.examplesPerCpuSecond))} per CPU-second`,
    ...facts.executor.split("; ").map((line, i) => `          ${i === 0 ? "by " : ""}${line}`),
    `learner   ${computingBar(facts.stages, barWidth)}`,
    `          ${waitingLine(facts.stages)}`,
    `took      ${seconds(facts.totalSeconds)} in all, peak memory ${memory} over all processes`,
    `report    ${join(flags.state, "report.html")}`,
    "",
    "Try next:",
    ...story.next.map((line) => `  ${line}`),
  ].join("\n");
}
