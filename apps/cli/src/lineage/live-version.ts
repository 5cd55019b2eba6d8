import { isHeddleError } from "@heddle/base";
import type { Clients } from "../host/clients.ts";

const timeoutMs = 30_000;

/** The live version when `node` is the name of a model, else `node` itself. */
export async function liveVersionOr(clients: Clients, node: string): Promise<string> {
  try {
    const { version } = await clients.registry.whatWasLive({ model: node }, { timeoutMs });
    return version?.version ?? node;
  } catch (error) {
    if (isHeddleError(error, "UNKNOWN_MODEL")) return node;
    throw error;
  }
}
