export type { LimitSettings } from "./config.ts";
export { type Running, type SchedulerDeps, startScheduler } from "./start.ts";
