export { openLmdbOnline } from "./lmdb-online.ts";
export type { OnlineRow, OnlineValues } from "./port.ts";
