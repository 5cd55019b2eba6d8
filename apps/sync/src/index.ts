export { Limits } from "./config.ts";
export { startSync, type SyncDeps } from "./start.ts";
