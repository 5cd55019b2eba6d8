export { type Backends, openBackends } from "./open.ts";
export { type Places, backendSettings } from "./settings.ts";
