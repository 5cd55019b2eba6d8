import { HeddleError } from "@heddle/base";
import type { TopicSettings } from "./suitable.ts";

/** Where a Kafka is, and how topics are made there. */
export interface KafkaAddress {
  /** `host:port` of some brokers; they name the others. */
  readonly brokers: readonly string[];
  /** Stands before the name of each topic and group, so that several logs share a cluster and its access rules. */
  readonly prefix: string;
  readonly tls: boolean;
  readonly topics: TopicSettings;
}

const form =
  /^kafka:\/\/(?<brokers>[^/?#]+)(\/(?<prefix>[a-zA-Z0-9._-]{0,40}))?(\?(?<query>[^#]*))?$/;
const brokerForm = /^[^\s:@,]+:\d{1,5}$/;
const defaults = {
  partitions: 4,
  replicas: 3,
  minInSyncReplicas: 2,
  retentionHours: 168,
};
const known = [...Object.keys(defaults), "retentionBytes", "tls"];

/**
 * Reads `kafka://host:port[,host:port][/prefix][?partitions=4&replicas=3&minInSyncReplicas=2&retentionHours=168&retentionBytes=1000000000&tls=true]`.
 *
 * @throws {HeddleError} INVALID_ARGUMENT LOG_URL_INVALID; the message does not repeat what could be a password.
 */
export function parseKafkaUrl(url: string): KafkaAddress {
  const { brokers = "", prefix = "", query = "" } = form.exec(url)?.groups ?? {};
  const hosts = brokers.split(",");
  if (!hosts.every((host) => brokerForm.test(host))) {
    throw urlInvalid(
      "it is written kafka://host:port[,host:port][/prefix][?setting=value], without user or password",
    );
  }
  const settings = new URLSearchParams(query);
  const unknown = [...settings.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw urlInvalid(`it has no setting ${unknown}; there are ${known.join(", ")}`);
  }
  const numberOf = (name: string, absent?: number): number => {
    const value = Number(settings.get(name) ?? absent);
    if (Number.isSafeInteger(value) && value >= 1) return value;
    throw urlInvalid(`${name} is a whole number from 1 on, not ${settings.get(name) ?? ""}`);
  };
  const topics = {
    partitions: numberOf("partitions", defaults.partitions),
    replicas: numberOf("replicas", defaults.replicas),
    minInSyncReplicas: numberOf("minInSyncReplicas", defaults.minInSyncReplicas),
    retentionMs: numberOf("retentionHours", defaults.retentionHours) * 3_600_000,
    ...(settings.has("retentionBytes") && { retentionBytes: numberOf("retentionBytes") }),
  };
  if (topics.minInSyncReplicas > topics.replicas) {
    throw urlInvalid("minInSyncReplicas is at most replicas");
  }
  const tls = settings.get("tls") ?? "false";
  if (tls !== "true" && tls !== "false") throw urlInvalid(`tls is true or false, not ${tls}`);
  return { brokers: hosts, prefix, tls: tls === "true", topics };
}

function urlInvalid(why: string): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "LOG_URL_INVALID",
    `the URL of the event log is not one of Kafka: ${why}`,
  );
}
