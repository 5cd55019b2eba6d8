import { openChannel, type Channels } from "./channel.ts";
import { openReplicas } from "./replicas.ts";
import { parseTarget } from "./target.ts";

/**
 * @param address `host:port`, `host:port,host:port` for the replicas of a service, or `dns:///host:port` for all addresses of a name.
 * @throws {HeddleError} INVALID_ARGUMENT ADDRESS_INVALID.
 */
export function openChannels(address: string): Channels {
  const target = parseTarget(address);
  if (target.kind !== "one") return openReplicas(target);
  const channel = openChannel(target.address);
  return {
    opening: () => undefined,
    next: () => channel,
    close: () => channel.client.close(),
  };
}
