export { digestOfFile } from "./files.ts";
export { type FileObjectsOptions, openFileObjects } from "./file-objects.ts";
export { checkObjects, isObjectsUrl, objectVariables, openObjects } from "./open.ts";
export type { ObjectInfo, Objects } from "./port.ts";
export { openTracedObjects, traceObjects } from "./traced-objects.ts";
