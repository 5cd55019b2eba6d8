import type { Telemetry } from "@heddle/telemetry";
import { isObjectsUrl, openObjects } from "./open.ts";
import type { Objects } from "./port.ts";

/** As `openObjects`, with spans. */
export async function openTracedObjects(place: string, telemetry: Telemetry): Promise<Objects> {
  return traceObjects(await openObjects(place), telemetry, isObjectsUrl(place) ? "s3" : "folder");
}

/**
 * The objects with a span for each call, wherever they lie; none where nothing is traced. A stream has none: its time is its reader's.
 *
 * @param system what stands behind them: `s3`, `folder`.
 */
export function traceObjects(objects: Objects, telemetry: Telemetry, system: string): Objects {
  const traced = <T>(operation: string, name: string, run: () => Promise<T>): Promise<T> => {
    if (!telemetry.recording()) return run();
    const attributes = { "heddle.objects": system, "heddle.object": name };
    return telemetry.span(`object ${operation}`, { kind: "client", attributes }, run);
  };
  return {
    put: (name, bytes) => traced("put", name, () => objects.put(name, bytes)),
    putFile: (name, path) => traced("put", name, () => objects.putFile(name, path)),
    putStream: (name, pieces) => traced("put", name, () => objects.putStream(name, pieces)),
    get: (name, expected) => traced("get", name, () => objects.get(name, expected)),
    stream: (name, expected) => objects.stream(name, expected),
    path: (name, expected) => traced("get", name, () => objects.path(name, expected)),
    head: (name) => traced("head", name, () => objects.head(name)),
    list: (prefix) => traced("list", prefix, () => objects.list(prefix)),
    delete: (name) => traced("delete", name, () => objects.delete(name)),
  };
}
