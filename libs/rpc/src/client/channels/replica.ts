import * as grpc from "@grpc/grpc-js";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@heddle/proto/health";
import { type AnyMessage, definitionOf } from "../../method.ts";
import { type Channel, openChannel } from "./channel.ts";

/** One of several servers that answer alike. */
export interface Replica extends Channel {
  /** What its health said last; undefined before it said anything. */
  serving(): boolean | undefined;
  close(): void;
}

/** Between the end of a watch and the next one, milliseconds. */
const watchAgainMs = 500;
const { path, requestSerialize, responseDeserialize } = definitionOf(Health.method.watch);

/**
 * Opens a channel to a replica and watches its health for as long as it is open. A connection that breaks ends the watch, so a replica
 * that dies is known at once.
 *
 * @param heard is called when what `serving` says has changed.
 */
export function openReplica(address: string, heard: () => void): Replica {
  const channel = openChannel(address);
  const { client } = channel;
  let serving: boolean | undefined;
  let closed = false;
  let call: grpc.ClientReadableStream<AnyMessage> | undefined;
  let again: NodeJS.Timeout | undefined;
  const hear = (now: boolean): void => {
    if (closed || now === serving) return;
    serving = now;
    heard();
  };
  const watch = (): void => {
    call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {
      service: "",
    });
    call.on("data", ({ status }: { status: Status }) => hear(status === Status.SERVING));
    // Its status says the same.
    call.on("error", () => undefined);
    call.on("status", ({ code }: grpc.StatusObject) => {
      if (closed) return;
      // A server of another make may have no health: its calls say how it is.
      if (code === grpc.status.UNIMPLEMENTED) return hear(true);
      hear(false);
      again = setTimeout(watch, watchAgainMs);
    });
  };
  watch();
  return {
    ...channel,
    serving: () => serving,
    close: () => {
      closed = true;
      clearTimeout(again);
      call?.cancel();
      client.close();
    },
  };
}
