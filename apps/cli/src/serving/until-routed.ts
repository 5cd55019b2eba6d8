import { setTimeout as sleep } from "node:timers/promises";
import { isHeddleError } from "@heddle/base";
import type { Clients } from "../host/clients.ts";

const lookEveryMs = 100;
const callMs = 10_000;
/** Any: sync looks at digests. */
const digestAgeMaxMs = BigInt(Number.MAX_SAFE_INTEGER);

/**
 * Asks what is served of a model that has a live version. A host that has just started is up before its model server has loaded again what
 * should serve: where no version answers, or the fallback alone, it asks again once one does.
 */
export async function askRouted<T extends { readonly version: string }>(
  clients: Pick<Clients, "modelServer">,
  model: string,
  ask: () => Promise<T>,
): Promise<T> {
  try {
    const answer = await ask();
    if (answer.version !== "") return answer;
  } catch (error) {
    if (!isHeddleError(error, "UNKNOWN_MODEL")) throw error;
  }
  await untilRouted(clients, model);
  return ask();
}

/**
 * Waits until a version of the model answers.
 *
 * @param waitMs after it the model is asked all the same: the server says best why no version of it answers.
 */
export async function untilRouted(
  { modelServer }: Pick<Clients, "modelServer">,
  model: string,
  waitMs = 10_000,
): Promise<void> {
  for (const until = performance.now() + waitMs; performance.now() < until;) {
    const { versions } = await modelServer.loaded({ digestAgeMaxMs }, { timeoutMs: callMs });
    if (versions.some((of) => of.model === model && of.routed)) return;
    await sleep(lookEveryMs);
  }
}
