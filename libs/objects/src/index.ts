export { type FileObjectsOptions, openFileObjects } from "./file-objects.ts";
export { objectVariables, openObjects } from "./open.ts";
export type { ObjectInfo, Objects } from "./port.ts";
