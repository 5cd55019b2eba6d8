import { encodeParameters } from "@heddle/artifact";
import { failpoint } from "@heddle/failpoint";
import type { ObjectInfo, Objects } from "@heddle/objects";
import { type Layer, sinceOf, namesOf } from "./chain.ts";
import { deleteOlder, prefixOf } from "./retention.ts";
import { encodeLayered, encodeWhole, readParameters, type SnapshotSubject } from "./snapshot.ts";
import type { Start } from "./start.ts";
import { openCutWork } from "./cut-work.ts";
import type { CutPlace, Wire } from "../wire/wire.ts";
import type { Progress } from "../loop/progress.ts";

/** Cuts of bounded mode, where a shard may be lost alone. */
interface LossBound {
  /** Updates between cuts. */
  readonly cutSteps: number;
  /** Updates after the newest snapshot, at most: those that a loss may cost. */
  readonly lostMax: number;
  /** The snapshot of that cut was given up, because a shard was lost. */
  readonly onGivenUp: (step: number) => void;
}

export interface CutDeps {
  readonly objects: Objects;
  readonly wire: Wire;
  /** Where a run's snapshots lie within its folder, when attempts do not write the same bytes: a folder for each. */
  readonly folder?: string;
  /** Tells the registry; an attempt may resume from the snapshot once it resolves. */
  readonly record: (step: number, manifest: ObjectInfo) => Promise<void>;
  /** Absent in exact mode. */
  readonly bound?: LossBound;
}

/** The end of a run: its manifest, and the one file of all parameters. */
interface Ending {
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
   * way, and throws what that failed with. In bounded mode it waits for its own record, too, where so many updates lie behind the newest
   * snapshot that the next interval would pass the bound.
   */
  cut(progress: Progress): Promise<void>;
  /**
   * Takes and writes the last cut: one file of all parameters, which does not depend on the number of shards, because the model
   * version names it.
   */
  end(progress: Progress): Promise<Ending>;
  /**
   * Has a lost shard replaced, with the newest snapshot, once the one under way has ended. No cut is taken meanwhile, for it would delete
   * what is read.
   */
  during<T>(replace: (cutOf: () => Promise<CutPlace>) => Promise<T>): Promise<T>;
}

/** @param start of the attempt. */
export function openCuts(deps: CutDeps, start: Start): Cuts {
  const { wire, bound } = deps;
  const { subject } = start;
  // A parent's layers are not this run's.
  let chain = start.snapshot === undefined ? [] : start.layers;
  let newest: CutPlace = { step: start.progress.step, layers: start.layers };
  const work = openCutWork(bound !== undefined);
  const writeCut = async (progress: Progress, since: number | undefined): Promise<boolean> => {
    const written = await work.write(async () => {
      chain = await writeLayer(deps, subject, progress, since === undefined ? [] : chain);
      newest = { step: progress.step, layers: chain };
      return true;
    });
    if (written === undefined) bound?.onGivenUp(progress.step);
    return written === true;
  };
  return {
    cut: async (progress) => {
      await work.rest();
      const { step } = progress;
      const since = sinceOf(chain);
      if (bound !== undefined && step + bound.cutSteps - newest.step > bound.lostMax) {
        do await wire.freeze(step, since, true);
        while (!(await writeCut(progress, since)));
        // A shard that is lost now is told of the cut when it is replaced.
        await work.write(() => wire.freeze(step, since));
        return;
      }
      const taken = await work.write(() => wire.freeze(step, since).then(() => true));
      failpoint("learner.snapshot.after-freeze");
      if (taken === undefined) bound?.onGivenUp(step);
      // Who comes next learns of a failure.
      else writeCut(progress, since).catch(() => undefined);
    },
    end: async (progress) => {
      await work.rest();
      const { step } = progress;
      for (;;) {
        await wire.freeze(step, undefined, bound !== undefined);
        const ending = await work.write(() => writeEnd(deps, subject, progress));
        if (ending === undefined) continue;
        newest = { step, layers: [{ files: [ending.parameters] }] };
        return ending;
      }
    },
    during: (replace) =>
      work.restore(() =>
        replace(async () => {
          await work.written();
          return newest;
        }),
      ),
    // An attempt that failed otherwise: what is still written ends with its calls.
    [Symbol.asyncDispose]: work.written,
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
