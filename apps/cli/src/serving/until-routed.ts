import { setTimeout as sleep } from "node:timers/promises";
import type { Clients } from "../host/clients.ts";

const lookEveryMs = 100;
const callMs = 10_000;

/**
 * Waits until a version of the model answers. A host that has just started is up before its model server has loaded again what should
 * serve; whoever asks then would be told of no version, or hear the fallback.
 *
 * @param waitMs after it the model is asked all the same: the server says best why no version of it answers.
 */
export async function untilRouted(
  { modelServer }: Pick<Clients, "modelServer">,
  model: string,
  waitMs = 10_000,
): Promise<void> {
  for (const until = performance.now() + waitMs; performance.now() < until;) {
    const { versions } = await modelServer.loaded({}, { timeoutMs: callMs });
    if (versions.some((of) => of.model === model && of.routed)) return;
    await sleep(lookEveryMs);
  }
}
