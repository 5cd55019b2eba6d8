import type { Jobs } from "@heddle/jobs";
import { openFileObjects } from "@heddle/objects";
import { ParameterServerService } from "@heddle/proto/parameter-server";
import { connect } from "@heddle/rpc";
import { silentTelemetry } from "@heddle/telemetry";
import { type Place, start } from "../train/gang.ts";
import { startServices } from "../train/services.ts";
import { declared, type CutFile } from "./shard.ts";

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

/** The limit: the same files read, their digests checked, and nothing else done with them. @returns seconds. */
export async function readFiles(place: Place, files: readonly CutFile[]): Promise<number> {
  const objects = await openFileObjects({ path: place.objects });
  const began = performance.now();
  for (const { object } of files) {
    for await (const _ of objects.stream(object.name, object.sha256));
  }
  return (performance.now() - began) / 1_000;
}
