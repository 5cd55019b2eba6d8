export { Limits } from "./config.ts";
export { type ModelServerDeps, startModelServer } from "./start.ts";
