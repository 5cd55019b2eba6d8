import type { DescMethod } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";

/** What a service said to bytes. */
export interface Answer {
  /** `OK`, or the name of the status. */
  readonly code: string;
  readonly reason: string;
  readonly details: string;
}

/** Codes that say nothing of what is wrong with a request. */
export const bugCodes: readonly string[] = [
  ...["UNKNOWN", "INTERNAL", "DEADLINE_EXCEEDED", "UNAVAILABLE", "CANCELLED"],
];

/** What a service says to bytes as they are, for at most `withinMs`: a call's end, or a stream's first message. */
export function answerTo(
  client: grpc.Client,
  method: DescMethod,
  bytes: Uint8Array,
  withinMs: number,
): Promise<Answer> {
  const path = `/${method.parent.typeName}/${method.name}`;
  const until = { deadline: Date.now() + withinMs };
  const asIs = (message: Buffer): Buffer => message;
  const request = Buffer.from(bytes);
  return new Promise((resolve) => {
    const say = (error: grpc.ServiceError | null): void => {
      const reason = String(error?.metadata?.get("heddle-reason")[0] ?? "");
      const code = error === null ? "OK" : (grpc.status[error.code] ?? "?");
      resolve({ code, reason, details: error?.details ?? "" });
    };
    if (method.methodKind === "unary") {
      client.makeUnaryRequest(path, asIs, asIs, request, until, say);
    } else if (method.methodKind === "client_streaming") {
      const stream = client.makeClientStreamRequest(path, asIs, asIs, until, say);
      stream.on("error", () => undefined);
      stream.write(request);
      stream.end();
    } else {
      const stream = client.makeServerStreamRequest(path, asIs, asIs, request, until);
      stream.on("error", (error: grpc.ServiceError) => say(error));
      stream.once("data", () => {
        say(null);
        stream.cancel();
      });
      stream.once("end", () => say(null));
    }
  });
}
