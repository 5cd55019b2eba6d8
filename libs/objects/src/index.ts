export { type FileObjectsOptions, openFileObjects } from "./file-objects.ts";
export type { ObjectInfo, Objects } from "./port.ts";
