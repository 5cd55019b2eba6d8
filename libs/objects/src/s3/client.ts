import type { S3Client } from "@aws-sdk/client-s3";
import { isCredentialError, s3Error } from "./errors.ts";
import { describeLocation, type S3Location } from "./location.ts";

type Sdk = typeof import("@aws-sdk/client-s3");

/** A bucket, spoken to by the SDK. */
export interface S3 {
  readonly location: S3Location;
  /** For messages. */
  readonly place: string;
  /**
   * Makes a request, which the SDK repeats when the server is busy or the connection breaks.
   *
   * @param what for messages: `object runs/1/w.bin`.
   * @throws {HeddleError} for whatever `request` does not handle itself.
   */
  call<T>(what: string, request: (client: S3Client, sdk: Sdk) => Promise<T>): Promise<T>;
}

const triesMax = 4;
const connectMs = 5_000;
/** A server that sends and takes nothing for this long is taken for gone. */
const idleMs = 30_000;
const socketsMax = 64;

/**
 * The SDK is loaded with the first request: its half second and 20 MB are for those who use it. Nothing is asked of the server before,
 * so a server that is absent now is found by the call that needs it, and by none after it is back.
 */
export function openS3(location: S3Location): S3 {
  const place = describeLocation(location);
  let opened: Promise<{ client: S3Client; sdk: Sdk }> | undefined;
  const call = async <T>(
    what: string,
    request: (client: S3Client, sdk: Sdk) => Promise<T>,
  ): Promise<T> => {
    const used = (opened ??= connect(location));
    const { client, sdk } = await used;
    try {
      return await request(client, sdk);
    } catch (error) {
      if (!isCredentialError(error)) throw s3Error(error, what, place);
      // They may have been renewed since: a client keeps what it read first. Of several that fail at once one asks anew.
      if (opened === used) opened = connect(location);
      const renewed = await (opened ?? used);
      return await request(renewed.client, sdk).catch((again: unknown) => {
        throw s3Error(again, what, place);
      });
    }
  };
  return { location, place, call };
}

async function connect({ endpoint, region }: S3Location): Promise<{ client: S3Client; sdk: Sdk }> {
  const sdk = await import("@aws-sdk/client-s3");
  const { defaultProvider } = await import("@aws-sdk/credential-provider-node");
  const client = new sdk.S3Client({
    region,
    // Servers of one's own have rarely a name for each bucket.
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    credentials: defaultProvider({ ignoreCache: true }),
    maxAttempts: triesMax,
    requestHandler: {
      connectionTimeout: connectMs,
      socketTimeout: idleMs,
      httpAgent: { maxSockets: socketsMax, keepAlive: true },
      httpsAgent: { maxSockets: socketsMax, keepAlive: true },
    },
    // We send SHA-256 ourselves and check what comes: no byte is summed twice.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    // It would print to the console.
    logger: silent,
  });
  return { client, sdk };
}

const nothing = (): void => undefined;
const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing };
