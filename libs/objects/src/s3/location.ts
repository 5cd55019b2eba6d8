import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { HeddleError } from "@heddle/base";

/** Where objects lie on an S3 server, and where their local copies lie. */
export interface S3Location {
  readonly bucket: string;
  /** Before every key: empty, or ends with a slash. */
  readonly prefix: string;
  /** Of a server that is not Amazon's, e.g. `http://127.0.0.1:9000`. */
  readonly endpoint: string | undefined;
  readonly region: string;
  /** Folder of local copies, which processes of this machine share. */
  readonly cacheFolder: string;
  readonly cacheBytesMax: number;
}

const parameters = ["endpoint", "region", "cache", "cacheBytesMax"] as const;
const bucketName = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const prefixPart = /^[a-zA-Z0-9._=-]+$/;
const defaultRegion = "us-east-1";
const defaultCacheBytesMax = 64 * 1024 ** 3;

/**
 * Reads `s3://bucket/prefix?endpoint=…&region=…&cache=…&cacheBytesMax=…`; all but the bucket may be absent. Credentials are never part
 * of it: the environment has them, as every S3 client looks for them.
 *
 * @throws {HeddleError} INVALID_ARGUMENT OBJECTS_URL_INVALID, which does not repeat the URL: it may hold a secret by mistake.
 */
export function parseS3Location(url: string): S3Location {
  const parsed = URL.parse(url);
  if (parsed?.protocol !== "s3:" || !url.startsWith("s3://")) {
    throw invalid("it does not begin with s3://");
  }
  if (parsed.username !== "" || parsed.password !== "") {
    throw invalid("it holds credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead");
  }
  for (const name of parsed.searchParams.keys()) {
    if (!(parameters as readonly string[]).includes(name)) {
      throw invalid(`its parameter ${name} is none of ${parameters.join(", ")}`);
    }
  }
  const bucket = parsed.host;
  if (!bucketName.test(bucket)) throw invalid("its bucket's name is not one of S3");
  const parts = parsed.pathname.split("/").filter((part) => part !== "");
  for (const part of parts) {
    if (!prefixPart.test(part) || part === "." || part === "..") {
      throw invalid("its prefix has parts other than letters, digits and . _ = -");
    }
  }
  const given = (name: (typeof parameters)[number]): string | undefined =>
    parsed.searchParams.get(name) ?? undefined;
  return {
    bucket,
    prefix: parts.length === 0 ? "" : `${parts.join("/")}/`,
    endpoint: endpointOf(given("endpoint")),
    region: given("region") ?? defaultRegion,
    cacheFolder: given("cache") ?? join(tmpdir(), `heddle-objects-${userInfo().uid}`),
    cacheBytesMax: bytesOf(given("cacheBytesMax")),
  };
}

/** For messages: the bucket, with its prefix and server. */
export function describeLocation({ bucket, prefix, endpoint, region }: S3Location): string {
  const server = endpoint ?? `Amazon S3 (${region})`;
  return `bucket ${bucket}${prefix === "" ? "" : `, under ${prefix},`} on ${server}`;
}

function endpointOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const parsed = URL.parse(text);
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.username !== "") {
    throw invalid("its endpoint is no http:// or https:// address without credentials");
  }
  return parsed.origin;
}

function bytesOf(text: string | undefined): number {
  const bytes = text === undefined ? defaultCacheBytesMax : Number(text);
  if (!Number.isSafeInteger(bytes) || bytes <= 0)
    throw invalid("its cacheBytesMax is no number of bytes");
  return bytes;
}

function invalid(why: string): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "OBJECTS_URL_INVALID",
    `the URL of the objects is not of the form s3://bucket/prefix?endpoint=…&region=…: ${why}`,
  );
}
