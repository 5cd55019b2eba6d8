import type { Jobs } from "@heddle/jobs";
import { ParameterServerService } from "@heddle/proto/parameter-server";
import { connect } from "@heddle/rpc";
import { silentTelemetry } from "@heddle/telemetry";
import { systemClock } from "@heddle/base";
import { cpuSecondsOf } from "./cpu.ts";
import { type Gang, type GangOptions, type Place, withGang } from "./gang.ts";

/** What some steps of a gang took. */
export interface Steady {
  /** From the first to the last one, both counted from before the data was read. */
  readonly examples: number;
  /** Of all processes. */
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
}

/** How a gang is at a moment. */
export interface Moment {
  /** Steps applied by the first shard. */
  readonly step: number;
  readonly cpuSeconds: number;
  readonly wallMs: number;
}

const lookEveryMs = 100;

/**
 * Trains without the beginning and the end: from when the learner asks for its data to the last step, not to the version, so
 * that reading and transforming count, and starting programs and writing a model do not.
 *
 * @param steps how many the data has; @param batchSize examples of each.
 */
export async function trainSteady(
  jobs: Jobs,
  place: Place,
  options: GangOptions,
  { steps, batchSize }: { readonly steps: number; readonly batchSize: number },
): Promise<Steady> {
  return withGang(jobs, place, options, async (gang) => {
    await gang.told.reading;
    const begin = { step: 0, cpuSeconds: cpuOf(gang), wallMs: performance.now() };
    let end = begin;
    await watch(gang, (moment) => {
      end = moment;
      return moment.step < steps;
    });
    return {
      examples: end.step * batchSize,
      cpuSeconds: end.cpuSeconds - begin.cpuSeconds,
      wallSeconds: (end.wallMs - begin.wallMs) / 1_000,
    };
  });
}

/** Looks at a gang again and again, as long as `on` says true. */
export async function watch(
  { told, shardNames: [first = ""], pids }: Gang,
  on: (moment: Moment) => boolean,
): Promise<void> {
  const client = { telemetry: silentTelemetry(), actor: "bench" };
  await using shard = connect(ParameterServerService, told.addresses[first] ?? "", client);
  for (;;) {
    const { step } = await shard.stats({}, { timeoutMs: 60_000 });
    const moment = { step: Number(step), cpuSeconds: cpuOf({ pids }), wallMs: performance.now() };
    if (!on(moment)) return;
    await systemClock.sleep(lookEveryMs, AbortSignal.timeout(60_000));
  }
}

export const cpuOf = ({ pids }: Pick<Gang, "pids">): number =>
  pids().reduce((sum, pid) => sum + cpuSecondsOf(pid), 0);
