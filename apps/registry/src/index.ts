export { Limits } from "./config.ts";
export { startRegistry } from "./start.ts";
