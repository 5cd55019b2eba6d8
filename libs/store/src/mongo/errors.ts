import { HeddleError, isHeddleError, messageOf } from "@heddle/base";
import { storeBusy } from "../errors.ts";
import {
  concernRefused,
  credentialsMissing,
  credentialsRefused,
  diskFull,
  indexGone,
  notReplicated,
  readOnly,
  rightsMissing,
} from "./refusals.ts";

/** What a failure of the driver means for the command that met it. */
export interface Failure {
  readonly error: HeddleError;
  /** Trying again may help: the server is away, changes its role, or is slow just now. */
  readonly passing: boolean;
  /** The command was sent and its answer not heard: it may have been done. */
  readonly unheard: boolean;
}

/** Commands of one process that are under way at once; others wait their turn. */
export const connectionsMax = 32;

/**
 * Codes of servers that change roles, stop, or do not reach a majority in time.
 *
 * @source https://www.mongodb.com/docs/manual/reference/error-codes
 */
const passingCodes: ReadonlySet<number | undefined> = new Set([
  ...[6, 7, 43, 50, 64, 89, 91, 133, 134, 189, 262, 391],
  ...[9_001, 10_058, 10_107, 11_600, 11_602, 13_435, 13_436],
]);
const passingNames = /Network|PoolCleared|ServerSelection|StalePrimary/;
/** The driver knew before it sent anything. */
const unsentNames = /^(MongoServerSelectionError|MongoPoolClearedError)$/;
const closedNames = /(Closed|NotConnected|ExpiredSession)Error$/;

/** @returns undefined for what is no failure of server or network, but a bug. */
export function failureOf(error: unknown, place: string): Failure | undefined {
  const name = nameOf(error);
  if (isHeddleError(error)) return { error, passing: false, unheard: false };
  if (!/^(Mongo|PoolCleared)/.test(name)) return undefined;
  const refusal = [error, ...errorsOfServers(error)]
    .map((each) => refusalOf(each, place))
    .find((each) => each !== undefined);
  if (refusal !== undefined) return { error: refusal, passing: false, unheard: false };
  if (closedNames.test(name)) return { error: storeClosed(place), passing: false, unheard: true };
  if (name === "MongoWaitQueueTimeoutError") {
    return { error: storeBusy(place, connectionsMax), passing: false, unheard: false };
  }
  const passing = passingNames.test(name) || passingCodes.has(codeOf(error));
  return {
    error: passing ? unavailable(place, error) : failed(place, error),
    passing,
    unheard: !unsentNames.test(name) && !isOfHandshake(error),
  };
}

export function codeOf(error: unknown): number | undefined {
  const { code } = error as { code?: unknown };
  return typeof code === "number" ? code : undefined;
}

/** What stays refused until a person changes something. */
function refusalOf(error: unknown, place: string): HeddleError | undefined {
  const text = messageOf(error);
  switch (codeOf(error)) {
    case 18: // AuthenticationFailed
      return credentialsRefused(place, error);
    case 13: // Unauthorized
      if (/requires authentication/i.test(text)) return credentialsMissing(place, error);
      // The rest of the message may hold a document.
      return rightsMissing(place, /execute command \{ (\w+)/.exec(text)?.[1] ?? "commands", error);
    case 123: // NotAReplicaSet
      return notReplicated(place, error);
    case 100: // UnsatisfiableWriteConcern
    case 148: // ReadConcernMajorityNotEnabled
      return concernRefused(place, error);
    case 371: // UserWritesBlocked
      return readOnly(place, error);
    case 14_031: // OutOfDiskSpace
      return diskFull(place, error);
    case 2: // BadValue: of what we send only a hint can be one.
      return /hint/i.test(text) ? indexGone(place, error) : undefined;
    default:
      return nameOf(error) === "MongoMissingCredentialsError"
        ? credentialsMissing(place, error)
        : undefined;
  }
}

interface ServerState {
  readonly address: string;
  /** `RSPrimary`, `RSSecondary`, `Standalone`, `Unknown`. */
  readonly type: string;
  readonly error: Error | null;
}

/** The servers that the driver looked at before it gave up its search. */
function serversOf(error: unknown): readonly ServerState[] {
  const { reason } = error as { reason?: { servers?: ReadonlyMap<string, ServerState> } };
  return [...(reason?.servers?.values() ?? [])];
}

function errorsOfServers(error: unknown): readonly Error[] {
  return serversOf(error).flatMap((server) => (server.error === null ? [] : [server.error]));
}

/** Before a connection is ready nothing of a command was sent on it. */
function isOfHandshake(error: unknown): boolean {
  const { hasErrorLabel } = error as { hasErrorLabel?: (label: string) => boolean };
  return hasErrorLabel?.call(error, "HandshakeError") === true;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "";
}

function unavailable(place: string, cause: unknown): HeddleError {
  const servers = serversOf(cause).map(({ address, type, error }) =>
    error === null ? `${address} is ${type}` : `${address}: ${messageOf(error)}`,
  );
  const why = servers.length === 0 ? messageOf(cause) : `no primary; ${servers.join(", ")}`;
  return new HeddleError(
    "UNAVAILABLE",
    "STORE_UNAVAILABLE",
    `the document store ${place} does not answer (${why}): start it, or see whether it has a primary; calls work again by themselves once it has`,
    { metadata: { place }, cause },
  );
}

function failed(place: string, cause: unknown): HeddleError {
  // A server's message may quote a document.
  const what = (cause as { codeName?: string }).codeName ?? messageOf(cause);
  return new HeddleError(
    "UNAVAILABLE",
    "STORE_FAILED",
    `the document store ${place} failed (${what}); see its log, then retry`,
    { cause },
  );
}

export function storeClosed(place: string): HeddleError {
  return new HeddleError(
    "UNAVAILABLE",
    "STORE_CLOSED",
    `the connection to the document store ${place} is closed`,
  );
}

/** A write that was sent, and too much happened since to see whether it was done. */
export function outcomeUnknown(place: string, cause?: unknown): HeddleError {
  return new HeddleError(
    "UNAVAILABLE",
    "WRITE_OUTCOME_UNKNOWN",
    `the connection broke while ${place} was written, and later writes hide whether it was: read it again, then decide`,
    { cause },
  );
}
