import { join } from "node:path";
import type { Places } from "./settings.ts";

/** Everything in one folder, without a server: for tests and benches. */
export const placesIn = (folder: string, mapBytesMax = 256 << 20): Places => ({
  state: join(folder, "state"),
  objects: join(folder, "objects"),
  mapBytesMax,
});
