export { placesIn } from "./embedded.ts";
export { type Backends, openBackends, type Ports } from "./open.ts";
export { openProgram, type Program, programSettings } from "./program.ts";
export type { ServiceParts } from "./service-parts.ts";
export { type Places } from "./settings.ts";
