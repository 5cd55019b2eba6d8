import type { DescService } from "@bufbuild/protobuf";
import { type Client, connect, type ConnectOptions } from "./client.ts";

/** A service whose address is known late, or changes when it restarts. */
export interface Peer<S extends DescService> extends AsyncDisposable {
  /** A client of the address that it has now; ask for it at each call. */
  client(): Client<S>;
}

/** @param address is asked at each call; what it throws passes to the caller. */
export function openPeer<S extends DescService>(
  service: S,
  address: () => string,
  options: ConnectOptions,
): Peer<S> {
  let current: { readonly address: string; readonly client: Client<S> } | undefined;
  const close = async (): Promise<void> => {
    await current?.client[Symbol.asyncDispose]();
  };
  return {
    client: () => {
      const now = address();
      if (current?.address !== now) {
        // Closing a channel takes no time, and calls under way to an address that is gone have failed.
        void close();
        current = { address: now, client: connect(service, now, options) };
      }
      return current.client;
    },
    [Symbol.asyncDispose]: close,
  };
}
