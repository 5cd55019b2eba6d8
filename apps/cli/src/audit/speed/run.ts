import { auditModel, type SpeedAudit } from "@heddle/learner";
import { withAudit } from "../open.ts";
import type { Clients } from "../../host/clients.ts";
import { settingText } from "./setting.ts";

export interface AuditFlags {
  readonly state: string;
  readonly inFlight: readonly number[];
  readonly tolerance: number;
  readonly seed: number;
}

const replicates = 500;

/** Audits in this process, on the objects of the state folder. */
export async function runSpeedAudit(
  clients: Clients,
  model: string,
  { state, inFlight, tolerance, seed }: AuditFlags,
  say: (line: string) => void,
): Promise<SpeedAudit> {
  const onSetting = (setting: Parameters<typeof settingText>[0], n: number, of: number): void =>
    say(`training ${n} of ${of}: ${settingText(setting)}`);
  const bounds = { inFlight, tolerance, replicates, seed };
  return await withAudit(clients, state, (deps, signal) =>
    auditModel(deps, { model, reader: "speed-audit", ...bounds, onSetting }, signal),
  );
}
