export { Limits } from "./config.ts";
export { type RegistryDeps, startRegistry } from "./start.ts";
