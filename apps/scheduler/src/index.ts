export type { LimitSettings } from "./config.ts";
export { type SchedulerDeps, startScheduler } from "./start.ts";
