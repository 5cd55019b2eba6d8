import { HeddleError } from "@heddle/base";

/** Where a service is, by what an address says. */
export type Target =
  | { readonly kind: "one"; readonly address: string }
  | { readonly kind: "list"; readonly addresses: readonly string[] }
  /** All addresses of a name. */
  | { readonly kind: "name"; readonly host: string; readonly port: string };

/** `host:port`, as it is written in settings. */
export const hostPort = /^(?<host>[^\s:,/]+|\[[0-9a-f:.]+\]):(?<port>\d{1,5})$/i;
const names = "dns:///";

/**
 * Reads `host:port`, `host:port,host:port` or `dns:///host:port`.
 *
 * @throws {HeddleError} INVALID_ARGUMENT ADDRESS_INVALID.
 */
export function parseTarget(address: string): Target {
  if (address.startsWith(names)) {
    const { host, port } = hostPort.exec(address.slice(names.length))?.groups ?? {};
    if (host === undefined || port === undefined) throw invalid(address);
    return { kind: "name", host, port };
  }
  const addresses = [...new Set(address.split(",").map((each) => each.trim()))];
  // Without a port gRPC would call 443.
  if (!addresses.every((each) => hostPort.test(each))) throw invalid(address);
  const [one = "", ...others] = addresses;
  return others.length === 0 ? { kind: "one", address: one } : { kind: "list", addresses };
}

function invalid(address: string): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "ADDRESS_INVALID",
    `${JSON.stringify(address)} is no address of a service: write host:port, host:port,host:port for its replicas, or dns:///host:port for all addresses of a name`,
  );
}
