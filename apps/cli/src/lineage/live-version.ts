import { HeddleError, isHeddleError } from "@heddle/base";
import type { Clients } from "../host/clients.ts";

const timeoutMs = 30_000;

/**
 * The live version when `node` is the name of a model, else `node` itself.
 *
 * @throws {HeddleError} NOT_FOUND NOTHING_LIVE when no version of the model is served.
 */
export async function liveVersionOr(clients: Clients, node: string): Promise<string> {
  const live = await liveOf(clients, node);
  if (live === undefined) return node;
  if (live.version !== undefined) return live.version.version;
  throw new HeddleError(
    "NOT_FOUND",
    "NOTHING_LIVE",
    `no version of model ${node} is live; name one of those that "heddle versions ${node}" lists`,
  );
}

/** What is live of a model; undefined when no model has that name. */
async function liveOf({ registry }: Clients, model: string) {
  try {
    return await registry.whatWasLive({ model }, { timeoutMs });
  } catch (error) {
    if (isHeddleError(error, "UNKNOWN_MODEL")) return undefined;
    throw error;
  }
}
