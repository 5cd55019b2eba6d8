import type { PutObjectCommand, UploadPartCommand } from "@aws-sdk/client-s3";
import { errorName, statusOf } from "./errors.ts";

/** Answers that are no failures to whoever writes only where nothing is. */
export type Refusal = "exists" | "busy";

/** @throws the error itself when it is no such answer. */
export function refusalOf(error: unknown): Refusal {
  if (statusOf(error) === 412) return "exists";
  if (statusOf(error) === 409 || errorName(error) === "ConditionalRequestConflict") return "busy";
  throw error;
}

/** As S3's headers have a SHA-256. */
export const base64Of = (hexadecimal: string): string =>
  Buffer.from(hexadecimal, "hex").toString("base64");

/** Signs a body by its SHA-256 that we know already: the SDK would compute it once more. */
export function signBody(command: PutObjectCommand | UploadPartCommand, sha256: string): void {
  // The stacks of both commands are alike; their union's types cannot say so.
  const stack = command.middlewareStack as PutObjectCommand["middlewareStack"];
  stack.add(
    (next) => (args) => {
      (args.request as { headers: Record<string, string> }).headers["x-amz-content-sha256"] =
        sha256;
      return next(args);
    },
    { step: "build", name: "heddleSignBody" },
  );
}
