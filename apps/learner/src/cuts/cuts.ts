import { encodeParameters } from "@heddle/artifact";
import { failpoint } from "@heddle/failpoint";
import type { ObjectInfo, Objects } from "@heddle/objects";
import { type Layer, sinceOf } from "./chain.ts";
import type { Progress } from "../loop/loop.ts";
import { deleteOlder, prefixOf } from "./retention.ts";
import { encodeLayered, encodeWhole, readParameters, type SnapshotSubject } from "./snapshot.ts";
import type { Wire } from "../wire/wire.ts";

export interface CutDeps {
  readonly objects: Objects;
  readonly wire: Wire;
  /** Where a run's snapshots lie within its folder, when attempts do not write the same bytes: a folder for each. */
  readonly folder?: string;
  /** Tells the registry; an attempt may resume from the snapshot once it resolves. */
  readonly record: (step: number, manifest: ObjectInfo) => Promise<void>;
}

/** The end of a run: its manifest, and the one file of all parameters. */
export interface Ending {
  readonly manifest: ObjectInfo;
  readonly parameters: ObjectInfo;
}

/**
 * Writes the cuts of a run: the shards' files, the manifest that names them, the record of it in the registry, in this order. All
 * names and bytes are functions of the run and the cut, so an attempt that does it again changes nothing.
 */
export interface Cuts extends AsyncDisposable {
  /**
   * Takes a cut. It is written while training goes on; so this waits only for the one before, of which at most one is under
   * way, and throws what that failed with.
   */
  cut(progress: Progress): Promise<void>;
  /**
   * Takes and writes the last cut: one file of all parameters, which does not depend on the number of shards, because the model
   * version names it.
   */
  end(progress: Progress): Promise<Ending>;
}

/** @param layers of the run's newest snapshot, when the attempt goes on from one. */
export function openCuts(deps: CutDeps, subject: SnapshotSubject, layers: readonly Layer[]): Cuts {
  const { wire } = deps;
  let newest = layers;
  let underWay: Promise<void> = Promise.resolve();
  return {
    cut: async (progress) => {
      await underWay;
      const { step } = progress;
      const since = sinceOf(newest);
      await wire.freeze(step, since);
      failpoint("learner.snapshot.after-freeze");
      const write = async (): Promise<void> => {
        newest = await writeLayer(deps, subject, progress, since === undefined ? [] : newest);
      };
      underWay = write();
      // Who awaits it next learns of a failure.
      underWay.catch(() => undefined);
    },
    end: async (progress) => {
      await underWay;
      await wire.freeze(progress.step);
      return writeEnd(deps, subject, progress);
    },
    [Symbol.asyncDispose]: async () => {
      // An attempt that failed otherwise: what is still written ends with its calls.
      await underWay.catch(() => undefined);
    },
  };
}

/** @returns the layers of the snapshot. */
async function writeLayer(
  { objects, wire, folder, record }: CutDeps,
  subject: SnapshotSubject,
  progress: Progress,
  before: readonly Layer[],
): Promise<readonly Layer[]> {
  const { step } = progress;
  const prefix = prefixOf(subject.run, step, folder);
  const saved = await wire.snapshot(step, prefix);
  const layers = [...before, { step, ...saved }];
  failpoint("learner.snapshot.before-manifest");
  const manifest = await objects.put(
    `${prefix}/manifest-of-${saved.files.length}.json`,
    encodeLayered({ ...subject, progress, layers }),
  );
  failpoint("learner.snapshot.after-manifest");
  await record(step, manifest);
  failpoint("learner.snapshot.after-record");
  await deleteOlder(objects, subject.run, step, [manifest.name, ...namesOf(layers)]);
  return layers;
}

async function writeEnd(
  { objects, wire, folder, record }: CutDeps,
  subject: SnapshotSubject,
  progress: Progress,
): Promise<Ending> {
  const { step } = progress;
  const prefix = prefixOf(subject.run, step, folder);
  const { files } = await wire.snapshot(step, prefix);
  const merged = encodeParameters(await readParameters(objects, files));
  const parameters = await objects.put(`${prefix}/parameters.tensors`, merged);
  failpoint("learner.snapshot.before-manifest");
  const manifest = await objects.put(
    `${prefix}/manifest.json`,
    encodeWhole(subject, progress, parameters),
  );
  failpoint("learner.snapshot.after-manifest");
  await record(step, manifest);
  failpoint("learner.snapshot.after-record");
  await deleteOlder(objects, subject.run, step, [manifest.name, parameters.name]);
  return { manifest, parameters };
}

/** Names of all files of a snapshot. */
export const namesOf = (layers: readonly Layer[]): string[] =>
  layers.flatMap(({ files }) => files.map(({ name }) => name));
