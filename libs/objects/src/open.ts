import { systemClock } from "@heddle/base";
import { openFileObjects } from "./file-objects.ts";
import type { Objects } from "./port.ts";
import { parseS3Location } from "./s3/location.ts";
import { openS3Objects } from "./s3/s3-objects.ts";

/**
 * Opens objects where they lie: in a folder, or in a bucket when the place is `s3://bucket/prefix?endpoint=…&region=…`. A host and its
 * jobs hand the place on as text, so all of them open the same.
 *
 * @throws {HeddleError} INVALID_ARGUMENT OBJECTS_URL_INVALID.
 */
export async function openObjects(place: string): Promise<Objects> {
  if (!isObjectsUrl(place)) return await openFileObjects({ path: place });
  return openS3Objects({ location: parseS3Location(place), clock: systemClock });
}

/**
 * Whether a place of objects is no folder, so that its server may be away. What is nearly a URL (`"s3://bucket"` in quotes, `s3:/bucket`)
 * is to be refused as one: as a folder it would take all that is written.
 */
export const isObjectsUrl = (place: string): boolean => /^[^/]*:\//.test(place);

/**
 * Whether objects can be had now: rejects with the reason why not. It asks for one that nobody stores, which is the cheapest request
 * whose answer tells a missing bucket from refused credentials.
 */
export async function checkObjects(objects: Objects): Promise<void> {
  await objects.head("heddle-is-there");
}

/** Variables by which an S3 client finds its credentials, region and certificates; a job needs them as its host does. */
export const objectVariables: readonly string[] = [
  ...["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"],
  ...["AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME"],
  ...["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"],
  ...["AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"],
  ...["AWS_REGION", "AWS_STS_REGIONAL_ENDPOINTS", "AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"],
];
