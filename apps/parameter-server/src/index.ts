export { type Usage } from "./service.ts";
export { tableRowsMaxDefault } from "./shard-input.ts";
export {
  type OpenShard,
  openShard,
  type RunningShard,
  type ShardDeps,
  startShard,
} from "./start.ts";
