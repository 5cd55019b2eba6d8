export { type Backends, openBackends, type Ports } from "./open.ts";
export { type Places, backendSettings } from "./settings.ts";
