export { Limits } from "./config.ts";
export { type RegistryDeps, type Running, startRegistry } from "./start.ts";
