import { HeddleError, shortName } from "@heddle/base";
import type { Scorer } from "@heddle/model";
import type { ObjectInfo } from "@heddle/objects";
import type { ModelDefinition } from "@heddle/sdk";
import { featureUses } from "./feature-types.ts";

/** A version in memory. */
export interface LoadedVersion {
  readonly model: string;
  readonly version: string;
  readonly manifest: ObjectInfo;
  readonly scorer: Scorer;
  readonly uses: ReturnType<typeof featureUses>;
  /** W3C trace context of the run that made it; empty when that is not known. */
  readonly traceparent: string;
}

/** The versions in memory and which of them answers each model's traffic. */
export interface Versions extends AsyncDisposable {
  get(version: string): LoadedVersion;
  find(version: string): LoadedVersion | undefined;
  all(): readonly LoadedVersion[];
  /** Takes a version in, in place of an earlier load of the same one. */
  add(loaded: LoadedVersion): void;
  remove(version: string): void;
  /** The version that answers a model's traffic; undefined when the fallback does. */
  routed(model: string): LoadedVersion | undefined;
  /** Moves traffic between two requests. @returns the version that answered until now, or "". */
  route(model: string, version: string): string;
  /** The newest definition of a model that a load brought, also after its version has gone. */
  definition(model: string): ModelDefinition;
  /** Runs `work` on a version, which stays in memory until it ends. */
  using<T>(loaded: LoadedVersion, work: () => Promise<T>): Promise<T>;
}

export function startVersions(versionsMax: number): Versions {
  const loaded = new Map<string, LoadedVersion>();
  const routes = new Map<string, string>();
  const definitions = new Map<string, ModelDefinition>();
  const uses = new Map<LoadedVersion, Set<Promise<unknown>>>();
  const retiring = new Set<Promise<void>>();

  /** Frees a version once the requests that it is answering have ended. */
  const retire = (version: LoadedVersion): void => {
    const freed = Promise.allSettled([...(uses.get(version) ?? [])])
      .then(() => version.scorer[Symbol.asyncDispose]())
      .finally(() => {
        uses.delete(version);
        retiring.delete(freed);
      });
    retiring.add(freed);
  };
  const get = (version: string): LoadedVersion => {
    const found = loaded.get(version);
    if (found === undefined) throw notLoaded(version);
    return found;
  };

  return {
    get,
    find: (version) => loaded.get(version),
    all: () => [...loaded.values()],
    add: (version) => {
      const before = loaded.get(version.version);
      if (before === undefined && loaded.size >= versionsMax) throw full(versionsMax);
      loaded.set(version.version, version);
      definitions.set(version.model, version.scorer.definition);
      if (before !== undefined) retire(before);
    },
    remove: (version) => {
      const found = get(version);
      if (routes.get(found.model) === version) throw stillRouted(found);
      loaded.delete(version);
      retire(found);
    },
    routed: (model) => loaded.get(routes.get(model) ?? ""),
    route: (model, version) => {
      if (version !== "" && get(version).model !== model) throw notLoaded(version, model);
      const before = routes.get(model) ?? "";
      if (version === "") routes.delete(model);
      else routes.set(model, version);
      return before;
    },
    definition: (model) => {
      const known = definitions.get(model);
      if (known === undefined) throw unknownModel(model);
      return known;
    },
    using: async (version, work) => {
      const own = uses.get(version) ?? new Set();
      uses.set(version, own);
      const working = work();
      own.add(working);
      try {
        return await working;
      } finally {
        own.delete(working);
      }
    },
    [Symbol.asyncDispose]: async () => {
      for (const version of loaded.values()) retire(version);
      loaded.clear();
      await Promise.all(retiring);
    },
  };
}

export function unknownModel(model: string): HeddleError {
  return new HeddleError(
    "NOT_FOUND",
    "UNKNOWN_MODEL",
    `no version of model "${model}" answers here: publish one first`,
    { metadata: { model } },
  );
}

function notLoaded(version: string, model?: string): HeddleError {
  const of = model === undefined ? "" : ` as a version of ${model}`;
  return new HeddleError(
    "FAILED_PRECONDITION",
    "NOT_LOADED",
    `version ${shortName(version)} is not loaded${of}: load it first`,
    { metadata: { version } },
  );
}

function stillRouted({ model, version }: LoadedVersion): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "STILL_ROUTED",
    `version ${shortName(version)} answers the traffic of ${model}: route it elsewhere first`,
    { metadata: { version, model } },
  );
}

function full(versionsMax: number): HeddleError {
  return new HeddleError(
    "RESOURCE_EXHAUSTED",
    "TOO_MANY_VERSIONS",
    `${versionsMax} versions are in memory, as many as this server takes: unload one first`,
  );
}
