/** A topic of what happened, as its service publishes it and as the contract describes it (docs/reference/asyncapi.json). */
export interface EventTopic {
  readonly name: string;
  /** Who publishes: CloudEvents source `//heddle/<service>`. */
  readonly services: readonly string[];
  readonly about: string;
  /** What the key is; records of one key stay in order. */
  readonly key: string;
  /** Full names of the protobuf messages that its records' `data` may be. */
  readonly events: readonly string[];
}

/** Every topic that others follow, named here alone. */
export const eventTopics = {
  features: {
    name: "heddle.features.v1",
    services: ["feature-store"],
    about: "Sources and feature views that were applied, and events that became part of a source.",
    key: "name of the source, or `name@version` of the feature view",
    events: ["heddle.feature_store.v1.SourceEvent", "heddle.feature_store.v1.FeatureViewEvent"],
  },
  datasets: {
    name: "heddle.datasets.v1",
    services: ["feature-store"],
    about: "Datasets that were committed.",
    key: "name of the dataset",
    events: ["heddle.feature_store.v1.DatasetEvent"],
  },
  jobs: {
    name: "heddle.jobs.v1",
    services: ["scheduler"],
    about: "Pipelines, their runs, and the steps of these.",
    key: "name of the pipeline, or id of the pipeline run",
    events: ["heddle.scheduler.v1.PipelineEvent", "heddle.scheduler.v1.PipelineRunEvent"],
  },
  evaluations: {
    name: "heddle.evaluations.v1",
    services: ["evaluator"],
    about:
      "Versions that were measured, with their figures, then judged; metrics that were applied.",
    key: "name of the evaluation or of the metric",
    events: ["heddle.evaluator.v1.EvaluationEvent", "heddle.evaluator.v1.MetricEvent"],
  },
  models: {
    name: "heddle.models.v1",
    services: ["registry"],
    about:
      "Model families, runs and versions: what was trained, on which dataset, and what is live.",
    key: "name of the model, run or version that changed",
    events: ["heddle.registry.v1.ModelEvent"],
  },
  serving: {
    name: "heddle.serving.v1",
    services: ["sync"],
    about: "Fleets of model servers: rollouts that began, were proved, serve, failed or went back.",
    key: "name of the fleet",
    events: ["heddle.sync.v1.RolloutEvent"],
  },
} as const satisfies Readonly<Record<string, EventTopic>>;

/** Steps inside a change that the world hears of elsewhere: with the topics above, each aggregate's whole chain of audit records. */
export const auditTopic = {
  name: "heddle.audit.v1",
  services: ["feature-store", "registry", "sync"],
  about:
    "Steps within changes that the other topics tell of. With them it makes up each aggregate's audit chain.",
  key: "id of the aggregate",
  events: [
    "heddle.feature_store.v1.DatasetEvent",
    "heddle.registry.v1.ModelEvent",
    "heddle.sync.v1.RolloutEvent",
  ],
} as const satisfies EventTopic;

/** What online values are fed from: between the processes of one Heddle, no contract for others. */
export const onlineTopic = "heddle.online.v1";

/** Whether a topic keeps the newest record of each key instead of all records for a time. */
export const isCompacted = (topic: string): boolean => topic === onlineTopic;

/** For so long a removed key can be seen to be removed; then nothing is left of it. */
export const removalsKeptMs = 7 * 24 * 3_600_000;
/** For so long no record gives way to a newer one: who is not further behind sees every change. */
export const changesKeptMs = 3_600_000;

/** Where a source's events wait for their window. */
export const ingestTopicOf = (source: string): string => `heddle.ingest.${source}.v1`;

/** Where records of a topic lie that nobody could use. */
export const lettersOf = (topic: string): string => `${topic}.dead-letter`;
