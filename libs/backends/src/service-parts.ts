import type { Clock } from "@heddle/base";
import type { Need } from "@heddle/rpc";
import type { Telemetry } from "@heddle/telemetry";
import type { Ports } from "./open.ts";

/** What any service is started with, whatever stands behind its ports: alone by its `main.ts`, among the others by the host. */
export interface ServiceParts extends Omit<Ports, "needs"> {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly telemetry: Telemetry;
  /** `host:port` to listen on; any free port of 127.0.0.1 when absent. */
  readonly address?: string;
  /** What is elsewhere and must be well for the service to be. */
  readonly needs?: readonly Need[];
}
