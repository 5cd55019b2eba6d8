export { Limits } from "./config.ts";
export { type ModelServerDeps, type Running, startModelServer } from "./start.ts";
