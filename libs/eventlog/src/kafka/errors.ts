import { HeddleError, messageOf } from "@heddle/base";
import { maxMessageBytes } from "./suitable.ts";
import { batchTooLargeCode } from "./reading/unpacking.ts";

/** Where something failed, for the message. */
export interface Place {
  readonly brokers: readonly string[];
  readonly topic?: string;
}

/** Of the client's error and those within it. */
interface Facts {
  readonly codes: ReadonlySet<string>;
  readonly apiIds: ReadonlySet<string>;
  readonly last: string;
}

const unsuitable = [
  "INVALID_REPLICATION_FACTOR",
  "INVALID_PARTITIONS",
  "INVALID_CONFIG",
  "POLICY_VIOLATION",
];
/** A member that is no longer in its group, or in another generation of it. */
const notMember = [
  "UNKNOWN_MEMBER_ID",
  "ILLEGAL_GENERATION",
  "REBALANCE_IN_PROGRESS",
  "FENCED_INSTANCE_ID",
];

export const isUnknownTopic = (error: unknown): boolean =>
  hasApiId(error, "UNKNOWN_TOPIC_OR_PARTITION") || /^Unknown topic /.test(messageOf(error));

/** The brokers do not know this user, or not by this password: however often it is tried. */
export const isUnauthenticated = (error: unknown): boolean =>
  factsOf(error).codes.has(unauthenticated);

export const isMembershipLost = (error: unknown): boolean =>
  notMember.some((id) => hasApiId(error, id));

/** A batch of the answer grows beyond what may be unpacked. */
export const isBatchTooLarge = (error: unknown): boolean =>
  factsOf(error).codes.has(batchTooLargeCode);

export const hasApiId = (error: unknown, id: string): boolean => factsOf(error).apiIds.has(id);

/** The client's error as the log's caller sees it: which server, which topic, what to do. Errors of ours pass. */
export function kafkaError(error: unknown, { brokers, topic }: Place): HeddleError {
  if (error instanceof HeddleError) return error;
  const { codes, apiIds, last } = factsOf(error);
  const at = `${topic === undefined ? "" : `topic ${topic} at `}Kafka ${brokers.join(", ")}`;
  const has = (ids: readonly string[]): boolean => ids.some((id) => apiIds.has(id));
  if (isMisuse(codes, last)) return clientMisused(last, error);
  if (codes.has(unauthenticated) || [...apiIds].some(isDenial)) {
    return forbidden(at, last, error);
  }
  if (has(tooLarge)) return batchTooLarge(at, error);
  if (has(unsuitable)) return cannotBeMade(at, last, error);
  return unavailable(at, has(tooFewReplicas), last, error);
}

const unauthenticated = "PLT_KFK_AUTHENTICATION";
const tooLarge = ["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE"];
const tooFewReplicas = ["NOT_ENOUGH_REPLICAS", "NOT_ENOUGH_REPLICAS_AFTER_APPEND"];
const isDenial = (id: string): boolean =>
  id.endsWith("_AUTHORIZATION_FAILED") || id === "SASL_AUTHENTICATION_FAILED";

function clientMisused(last: string, cause: unknown): HeddleError {
  return new HeddleError(
    "INTERNAL",
    "LOG_CLIENT_MISUSED",
    `the Kafka client refuses a call of ours: ${last}`,
    { cause },
  );
}

function forbidden(at: string, last: string, cause: unknown): HeddleError {
  return new HeddleError(
    "PERMISSION_DENIED",
    "LOG_FORBIDDEN",
    `${at} may not be used so (${last}): grant this user Describe, Read, Write, Create and Delete on its topics and Read on its groups, or check user and password, which is asked for anew at each connection`,
    { cause },
  );
}

function batchTooLarge(at: string, cause: unknown): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "RECORD_TOO_LARGE",
    `${at} refuses a batch as too large: raise the topic's max.message.bytes to ${maxMessageBytes}; nothing was appended`,
    { cause },
  );
}

function cannotBeMade(at: string, last: string, cause: unknown): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "TOPIC_UNSUITABLE",
    `${at} cannot be made as stated (${last}): give the cluster as many brokers as replicas, or state fewer in the log's URL (replicas, minInSyncReplicas)`,
    { cause },
  );
}

function unavailable(at: string, replicas: boolean, last: string, cause: unknown): HeddleError {
  return new HeddleError(
    "UNAVAILABLE",
    "LOG_UNAVAILABLE",
    replicas
      ? `${at} has too few replicas in sync: start the brokers that are down, then retry`
      : `${at} cannot be reached or does not answer in time (${last}): check that the brokers run and that these addresses are theirs, then retry; it goes on by itself once they are back`,
    { cause },
  );
}

export function topicUnsuitable(topic: string, place: Place, problem: string): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "TOPIC_UNSUITABLE",
    `topic ${topic} at Kafka ${place.brokers.join(", ")} ${problem}`,
    { metadata: { topic } },
  );
}

/** The client says so of bad arguments, and of some things that pass: a topic or a broker that is not there yet, its own end. */
const isMisuse = (codes: ReadonlySet<string>, last: string): boolean =>
  codes.size === 1 && codes.has("PLT_KFK_USER") && last.startsWith("/options");

function factsOf(error: unknown): Facts {
  const codes = new Set<string>();
  const apiIds = new Set<string>();
  let last = messageOf(error);
  const visit = (one: unknown): void => {
    if (typeof one !== "object" || one === null) return;
    const { code, apiId, errors, cause, message } = one as Record<string, unknown>;
    if (typeof code === "string") codes.add(code);
    if (typeof apiId === "string") apiIds.add(apiId);
    if (typeof message === "string" && !Array.isArray(errors)) last = message;
    if (Array.isArray(errors)) errors.forEach(visit);
    if (cause !== undefined) visit(cause);
  };
  visit(error);
  return { codes, apiIds, last: apiIds.size > 0 ? [...apiIds].join(", ") : last };
}
