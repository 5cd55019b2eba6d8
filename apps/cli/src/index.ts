export type { Chapter, FinaleContext, Story } from "./demo/story.ts";
export { type Clients } from "./host/clients.ts";
export { processTree } from "./demo/process-tree.ts";
export { table } from "./output/table.ts";
export { type Answer, askServed, type RankedRow } from "./serving/ask.ts";
