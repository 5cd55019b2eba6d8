import { HeddleError } from "@heddle/base";
import { didYouMean } from "@heddle/config";
import { RegistryService, Stage } from "@heddle/proto/registry";
import { type CallContext, type Handlers, implement, type Implementation } from "@heddle/rpc";
import { changeContextOf, type Known, listAll } from "@heddle/store";
import {
  readPlace,
  readRecipe,
  readTraining,
  writeChange,
  writeRun,
  writeVersion,
} from "./encode.ts";
import { type Family, liveAt } from "./models/family.ts";
import { describeNodes, resolveNode } from "./lineage/lineage-nodes.ts";
import { lineageOf, unknown } from "./lineage/lineage.ts";
import { originOf } from "./lineage/origin.ts";
import { archive, setLive } from "./models/stages.ts";
import {
  createConfiguration,
  createRun,
  recordSnapshot,
  registerVersion,
  type RegistrationDeps,
} from "./models/registration.ts";
import type { Run } from "./models/run.ts";
import { findByPrefix, modelEvent, type RegistryStore, updateByPrefix } from "./store.ts";
import { judged, readJudgement, type Version } from "./models/version.ts";

const pageSizeDefault = 50;

/** The RPCs of the registry. */
export function registryService(deps: RegistrationDeps): Implementation {
  return implement(RegistryService, { ...readsOf(deps), ...changesOf(deps) });
}

type RegistryHandlers = Handlers<typeof RegistryService, CallContext>;
type Change =
  | "createConfiguration"
  | "createRun"
  | "recordSnapshot"
  | "registerVersion"
  | "recordVerdict"
  | "setStage";

function changesOf(deps: RegistrationDeps): Pick<RegistryHandlers, Change> {
  const { registry } = deps;
  return {
    createConfiguration: (request, call) =>
      createConfiguration(request.definitionJson, changeContextOf(request, call), deps),
    createRun: async (request, call) => {
      const run = await createRun(readRecipe(request.recipe), changeContextOf(request, call), deps);
      return { run: run.run, state: await encodeRun(run, registry) };
    },
    recordSnapshot: async (request, call) => {
      const { snapshot } = request;
      const manifest = readPlace(snapshot?.manifest, "the snapshot's manifest");
      const taken = { step: Number(snapshot?.step), manifest };
      await recordSnapshot(request.run, taken, changeContextOf(request, call), deps);
      return {};
    },
    registerVersion: (request, call) => {
      const manifest = readPlace(request.manifest, "the manifest");
      const training = readTraining(request.training);
      return registerVersion(request.run, manifest, training, changeContextOf(request, call), deps);
    },
    recordVerdict: async (request, call) => {
      const judgement = readJudgement(request);
      const decide = (current: Version, { id }: Known<Version>) => ({
        state: judged(current, judgement),
        events: [modelEvent(current.model, "judged", { version: id })],
      });
      const context = changeContextOf(request, call);
      await updateByPrefix(registry.versions, "version", request.version, decide, context);
      return {};
    },
    setStage: async (request, call) => {
      const change = stageChanges[request.stage];
      if (change === undefined) throw stageInvalid(request.stage);
      const context = changeContextOf(request, call);
      return { previousLive: await change(request.version, request.reason, context, deps) };
    },
  };
}

function readsOf(deps: RegistrationDeps): Omit<RegistryHandlers, Change> {
  const { registry, features, limits, clock } = deps;
  const { families, configurations, runs, versions } = registry;
  const version = async (name: string) => {
    const { state } = await findByPrefix(versions, "version", name);
    return encodeVersion(state, registry);
  };
  return {
    getConfiguration: async ({ configuration, model }) => {
      const newest = async (): Promise<string> => {
        const family = await families.get(model);
        if (family === undefined) throw await unknownModel(model, registry);
        return family.state.configurations.at(-1) ?? "";
      };
      const name = configuration === "" ? await newest() : configuration;
      const { state } = await findByPrefix(configurations, "configuration", name);
      return {
        configuration: state.configuration,
        definitionJson: JSON.stringify(state.definition),
        author: state.author,
        createdTimeMs: BigInt(state.createdTimeMs),
      };
    },
    getRun: async (request) => {
      const { state } = await findByPrefix(runs, "run", request.run);
      return { run: await encodeRun(state, registry) };
    },
    listRuns: async ({ model, pageSize }) => {
      const names = (await familiesOf(model, registry)).flatMap((family) =>
        family.runs.slice(-(pageSize || pageSizeDefault)),
      );
      const found = await Promise.all(names.map((name) => runs.get(name)));
      const newest = found
        .flatMap((run) => run?.state ?? [])
        .sort((a, b) => b.createdTimeMs - a.createdTimeMs)
        .slice(0, pageSize || pageSizeDefault);
      return { runs: await Promise.all(newest.map((run) => encodeRun(run, registry))) };
    },
    getVersion: async (request) => ({ version: await version(request.version) }),
    listVersions: async ({ model, pageSize }) => {
      const family = (await families.get(model))?.state;
      const names = family?.versions.slice(-(pageSize || pageSizeDefault)) ?? [];
      const found = await Promise.all(names.toReversed().map((name) => versions.get(name)));
      const known = found.flatMap((one) => one?.state ?? []);
      return { versions: await Promise.all(known.map((one) => encodeVersion(one, registry))) };
    },
    whatWasLive: async ({ model, timeMs }) => {
      const family = (await families.get(model))?.state;
      if (family === undefined) throw await unknownModel(model, registry);
      const live = liveAt(family, timeMs === 0n ? clock.now() : Number(timeMs));
      const history = family.history.map(writeChange);
      return live === "" ? { history } : { version: await version(live), history };
    },
    getOrigin: async (request) => {
      const { state } = await findByPrefix(versions, "version", request.version);
      return originOf(state, await encodeVersion(state, registry), deps);
    },
    lineage: async (request) => {
      const node = await resolveNode(request.node, registry);
      if (node === undefined) throw unknown(request.node);
      const describe = describeNodes(registry, features);
      const nodesMax = limits.lineageNodesMax;
      const { nodes, edges } = await lineageOf(node, { edges: registry.edges, describe, nodesMax });
      return {
        nodes: nodes.map((found) => ({ ...found, facts: { ...found.facts } })),
        edges: [...edges],
      };
    },
  };
}

const stageChanges: Partial<Record<Stage, typeof setLive>> = {
  [Stage.LIVE]: setLive,
  [Stage.ARCHIVED]: archive,
};

async function familiesOf(model: string, { families }: RegistryStore): Promise<Family[]> {
  const known: (Known<Family> | undefined)[] =
    model === "" ? await listAll(families) : [await families.get(model)];
  return known.flatMap((family) => family?.state ?? []);
}

/** A run's version shows once it is registered, so that whoever sees it can get it. */
async function encodeRun(run: Run, { versions }: RegistryStore) {
  const ended = run.version !== "" && (await versions.get(run.version)) !== undefined;
  return writeRun(run, ended);
}

async function encodeVersion(version: Version, { families, runs }: RegistryStore) {
  const [family, run] = [await families.get(version.model), await runs.get(version.run)];
  if (family === undefined || run === undefined) {
    throw new HeddleError(
      "DATA_LOSS",
      "VERSION_ORPHANED",
      `the run or the family of version ${version.version} is not in the store: restore it from a backup`,
    );
  }
  return writeVersion(version, family.state, run.state.recipe);
}

async function unknownModel(
  model: string,
  { families }: Pick<RegistryStore, "families">,
): Promise<HeddleError> {
  const { items } = await families.list({ limit: 100 });
  const names = items.map(({ id }) => id);
  const meant = didYouMean(model, names);
  const known = names.length === 0 ? "" : `there is ${names.join(", ")}; `;
  const remedy =
    meant === undefined ? `${known}define it, and apply that first` : `did you mean "${meant}"?`;
  const message = `there is no model "${model}": ${remedy}`;
  return new HeddleError("NOT_FOUND", "UNKNOWN_MODEL", message, { metadata: { model } });
}

function stageInvalid(stage: Stage): HeddleError {
  const message = `a version can be made LIVE or ARCHIVED, not ${Stage[stage] ?? stage}`;
  return new HeddleError("INVALID_ARGUMENT", "STAGE_INVALID", message);
}
