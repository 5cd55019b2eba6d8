import { readFileSync } from "node:fs";
import { type Clock, HeddleError, messageOf } from "@heddle/base";
import { Secret } from "@heddle/config";
import { type EventLog, openLocalLog } from "@heddle/eventlog";
import type { LmdbEnvironment } from "@heddle/store";

/** An event log on servers of its own. */
export interface LogSettings {
  /** `kafka://host:port[,host:port][/prefix][?setting=value]`. */
  readonly url: string;
  /** Who we are there, by SCRAM-SHA-512; nobody when absent. */
  readonly user?: string;
  /** Holds the user's password. */
  readonly passwordFile?: string;
}

/** The settings in HEDDLE_LOG_URL, HEDDLE_LOG_USER and HEDDLE_LOG_PASSWORD_FILE; undefined without a URL. */
export function logSettings(
  environment: Readonly<Record<string, string | undefined>>,
): LogSettings | undefined {
  const { HEDDLE_LOG_URL: url, HEDDLE_LOG_USER: user } = environment;
  const { HEDDLE_LOG_PASSWORD_FILE: passwordFile } = environment;
  if (url === undefined || url === "") return undefined;
  return {
    url,
    ...(user === undefined ? {} : { user }),
    ...(passwordFile === undefined ? {} : { passwordFile }),
  };
}

/**
 * The log that the settings name, else the embedded one. A Kafka client is loaded only for a Kafka.
 *
 * @throws {HeddleError} INVALID_ARGUMENT LOG_URL_INVALID, LOG_PASSWORD_UNREADABLE.
 */
export async function openEventLog(
  settings: LogSettings | undefined,
  environment: LmdbEnvironment,
  deps: { readonly clock: Clock; readonly random: () => number },
): Promise<EventLog> {
  if (settings === undefined) return openLocalLog(environment, deps);
  const { openKafkaLog } = await import("@heddle/eventlog/kafka");
  const { url, user: name, passwordFile } = settings;
  if (name === undefined) return openKafkaLog({ url, ...deps });
  const user = { mechanism: "SCRAM-SHA-512" as const, name, password: readPassword(passwordFile) };
  return openKafkaLog({ url, user, ...deps });
}

function readPassword(file = ""): Secret {
  try {
    return new Secret(readFileSync(file, "utf8").trim());
  } catch (error) {
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "LOG_PASSWORD_UNREADABLE",
      `HEDDLE_LOG_USER is set, and the file of its password cannot be read: name one in HEDDLE_LOG_PASSWORD_FILE (${messageOf(error)})`,
      { cause: error },
    );
  }
}
