export { type ShardServiceDeps, type Usage } from "./service.ts";
export { type Running, startShard } from "./start.ts";
