export { Limits } from "./config.ts";
export { startSync } from "./start.ts";
