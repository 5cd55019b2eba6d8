export type { ModelFile, ModelManifest, Scorer } from "./port.ts";
