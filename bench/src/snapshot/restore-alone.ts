import { readLayers } from "@heddle/artifact";
import type { Jobs } from "@heddle/jobs";
import { openFileObjects } from "@heddle/objects";
import { ParameterServerService } from "@heddle/proto/parameter-server";
import { connect } from "@heddle/rpc";
import { silentTelemetry } from "@heddle/telemetry";
import { type Place, start } from "../train/gang.ts";
import { startServices } from "../train/services.ts";
import { declared, type CutFile } from "./shard.ts";

const pageBytes = 4_096;
const call = { timeoutMs: 600_000 };
const fence = 1n;
const bounds = { staleness: 8, inFlight: 8, pushesPerSecond: 0, snapshotSteps: 1_000_000 };

/** Seconds of a shard that comes back alone. */
export interface Alone {
  /** Until its process listens, whatever it restores. */
  readonly startSeconds: number;
  /** From then, through base and increment, to its first answer. */
  readonly restoreSeconds: number;
}

/** A shard that takes a lost one's place, in a process of its own. */
export async function restoreAlone(
  jobs: Jobs,
  place: Place,
  rowsMax: number,
  [base, increment]: readonly [CutFile, CutFile],
  ids: Uint8Array,
): Promise<Alone> {
  const life = 1;
  const began = performance.now();
  await using services = await startServices({ definitionJson: "{}", run: "restore" });
  const own = { role: "shard-0", tableRowsMax: rowsMax, life };
  const job = await start(jobs, place, services.address, "shard", "shard-0.1", own);
  try {
    await services.told.listening(["shard-0.1"]);
    const listening = performance.now();
    const client = { telemetry: silentTelemetry(), actor: "bench" };
    const address = services.told.addresses["shard-0.1"] ?? "";
    await using shard = connect(ParameterServerService, address, client);
    await shard.configure({ ...declared, tables: [...declared.tables], bounds }, call);
    const { step } = increment;
    const increments = [{ objects: [increment.object] }];
    await shard.restore({ fence, step, objects: [base.object], increments }, call);
    await shard.rejoin({ fence, life, learner: 0, learners: 1, copied: step }, call);
    const tables = [{ table: declared.tables[0].name, ids }];
    await shard.pull({ fence, life, step: step + 1n, tables }, call);
    const startSeconds = (listening - began) / 1_000;
    return { startSeconds, restoreSeconds: (performance.now() - listening) / 1_000 };
  } finally {
    await job.stop(10_000);
  }
}

/** What no restore is spared, in seconds. */
export interface Floors {
  /** The same files read, their digests checked, and nothing else done with them. */
  readonly read: number;
  /** Their blocks checked and unpacked, too. */
  readonly unpack: number;
  /** Memory for as many rows as the base has, written to once a page. */
  readonly touch: number;
}

export async function floorsOf(
  place: Place,
  files: readonly CutFile[],
  rowBytes: number,
): Promise<Floors> {
  const objects = await openFileObjects({ path: place.objects });
  const layers = files.map(({ object: { name, sha256 } }) => [
    { name, chunks: objects.stream(name, sha256) },
  ]);
  const nowhere = { header: () => undefined, rows: () => undefined, dense: () => undefined };
  const read = await secondsOf(async () => {
    for (const { object } of files) {
      for await (const _ of objects.stream(object.name, object.sha256));
    }
  });
  const unpack = await secondsOf(() => readLayers(layers, nowhere));
  const touch = await secondsOf(() => {
    const memory = new Uint8Array((files[0]?.rows ?? 0) * rowBytes);
    for (let at = 0; at < memory.length; at += pageBytes) memory[at] = 1;
  });
  return { read, unpack, touch };
}

async function secondsOf(work: () => Promise<void> | void): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1_000;
}
