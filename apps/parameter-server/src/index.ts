export { type Usage } from "./service.ts";
export { type Running, type ShardDeps, startShard } from "./start.ts";
