import { HeddleError, sha256 } from "@heddle/base";
import type { S3 } from "../client.ts";
import { base64Of, refusalOf } from "../requests.ts";

/** No name of an object begins with a `!`. */
const probe = "!heddle";
const body = "the objects under this prefix are Heddle's: each is written once and never changes\n";

/**
 * Makes sure that the server heeds `If-None-Match`. One that does not would let two writers of a name overwrite each other unseen, and
 * everything above trusts that an object never changes.
 *
 * @throws {HeddleError} FAILED_PRECONDITION OBJECTS_UNCONDITIONAL.
 */
export async function proveConditional(s3: S3): Promise<void> {
  const put = (): Promise<"stored" | "exists" | "busy"> =>
    s3.call(s3.place, (client, sdk) =>
      client
        .send(
          new sdk.PutObjectCommand({
            Bucket: s3.location.bucket,
            Key: `${s3.location.prefix}${probe}`,
            Body: body,
            IfNoneMatch: "*",
            ChecksumSHA256: base64Of(sha256(body)),
          }),
        )
        .then(() => "stored" as const, refusalOf),
    );
  // The first writer of all stores it; whoever comes after must be refused.
  if ((await put()) === "stored" && (await put()) === "stored") {
    throw new HeddleError(
      "FAILED_PRECONDITION",
      "OBJECTS_UNCONDITIONAL",
      `${s3.place} writes over what is there although it is asked not to (If-None-Match): take a server that has conditional writes`,
    );
  }
}
