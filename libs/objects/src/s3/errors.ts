import { HeddleError } from "@heddle/base";
import { codeOf } from "../errors.ts";

/** What the SDK says of a failed request. */
interface ServiceError {
  readonly name?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** The server's name of an error: `NoSuchBucket`, `SlowDown`, …; `NotFound` and the like where the answer had no body. */
export function errorName(error: unknown): string {
  return (error as ServiceError | null)?.name ?? "";
}

/** The status of the answer; undefined when there was none. */
export function statusOf(error: unknown): number | undefined {
  return (error as ServiceError | null)?.$metadata?.httpStatusCode;
}

const credentialErrors: ReadonlySet<string> = new Set([
  ...["CredentialsProviderError", "TokenProviderError", "ExpiredToken", "ExpiredTokenException"],
  ...["InvalidAccessKeyId", "InvalidClientTokenId", "InvalidToken", "SignatureDoesNotMatch"],
  // As one folder-backed server says it.
  "XAdminUserNotFound",
]);
const fullErrors: ReadonlySet<string> = new Set([
  ...["QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "XMinioStorageQuotaExceeded"],
  "XAdminBucketQuotaExceeded",
]);
const noSpaceStatus = 507;

/** Whether other credentials may do what these could not. */
export function isCredentialError(error: unknown): boolean {
  return credentialErrors.has(errorName(error));
}

/**
 * What a failed request means to a caller. The server's own words are left out where they may name keys, and kept as the cause nowhere:
 * a log would print them.
 *
 * @param what was done to what: `object runs/1/w.bin`.
 * @param place of the objects, as `describeLocation` says it.
 */
export function s3Error(error: unknown, what: string, place: string): HeddleError {
  if (error instanceof HeddleError) return error;
  const name = errorName(error);
  const status = statusOf(error);
  if (isCredentialError(error)) {
    return new HeddleError(
      "UNAUTHENTICATED",
      "OBJECTS_CREDENTIALS",
      `${what}: the ${place} refuses our credentials, or there are none (${name}): renew those that AWS_ACCESS_KEY_ID, AWS_PROFILE or the machine's role give; a new file of them is read without a restart`,
    );
  }
  if (name === "NoSuchBucket") {
    return new HeddleError(
      "FAILED_PRECONDITION",
      "OBJECTS_BUCKET_MISSING",
      `${what}: there is no ${place}: create it, or correct HEDDLE_OBJECTS_URL`,
    );
  }
  if (name === "AuthorizationHeaderMalformed" || name === "PermanentRedirect" || status === 301) {
    return new HeddleError(
      "FAILED_PRECONDITION",
      "OBJECTS_REGION_WRONG",
      `${what}: the ${place} is in another region: name it as region= in HEDDLE_OBJECTS_URL`,
    );
  }
  if (status === 403 || name === "MethodNotAllowed") {
    return new HeddleError(
      "PERMISSION_DENIED",
      "OBJECTS_DENIED",
      `${what}: our credentials may not do this in ${place} (${name}): it is read-only, or its policy lacks an action of docs/internals/objects.md`,
    );
  }
  if (fullErrors.has(name) || status === noSpaceStatus) {
    return new HeddleError(
      "RESOURCE_EXHAUSTED",
      "OBJECTS_FULL",
      `${what}: there is no room in ${place} (${name}): raise its quota or delete what is not needed, then retry; nothing of it was kept`,
    );
  }
  const code = codeOf(error);
  const why = status === undefined ? (typeof code === "string" ? code : name) : `${status} ${name}`;
  return new HeddleError(
    "UNAVAILABLE",
    "OBJECTS_UNAVAILABLE",
    `${what === place ? "" : `${what}: `}${place} did not answer as it should (${why}): see whether the server runs and can be reached, then retry`,
  );
}
