export { type CallOptions, type Client, connect, type ConnectOptions } from "./client/client.ts";
export { implementSome } from "./server/implement-some.ts";
export { connectLocal, type LocalCallOptions, type LocalClient } from "./local.ts";
export { type Handlers, messageBytesMax } from "./method.ts";
export type { Need } from "./server/needs.ts";
export { openPeer, type Peer } from "./client/peer.ts";
export { callCancelled, type CallContext } from "./server/answer.ts";
export {
  implement,
  type Implementation,
  serve,
  serveOver,
  type Running,
  type ServeOptions,
  type Server,
} from "./server/server.ts";
