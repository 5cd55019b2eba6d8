export { Limits } from "./config.ts";
export { type Running, startSync, type SyncDeps } from "./start.ts";
