export { type Usage } from "./service.ts";
export { tableRowsMaxDefault } from "./shard-input.ts";
export { openShard, type ShardDeps, startShard } from "./start.ts";
