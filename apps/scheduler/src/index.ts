export { SchedulerConfig, type SchedulerSettings } from "./config.ts";
export { type Running, type SchedulerDeps, startScheduler } from "./start.ts";
