export { openLmdbOnline } from "./lmdb-online.ts";
export type { OnlineRow, OnlineValues } from "./port.ts";
export { type OnlineReplica, openOnlineReplica } from "./replica/replica.ts";
