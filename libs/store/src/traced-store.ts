import type { Json } from "@heddle/base";
import type { Telemetry } from "@heddle/telemetry";
import type { Documents, DocumentStore } from "./port.ts";

/**
 * The store with a span for each call, whatever stands behind it; none where nothing is traced.
 *
 * @param system what stands behind it: `mongodb`, `lmdb`.
 * @source OpenTelemetry semantic conventions for databases: names of spans and attributes.
 */
export function traceStore(
  store: DocumentStore,
  telemetry: Telemetry,
  system: string,
): DocumentStore {
  return {
    collection: <T extends Json | object>(name: string): Documents<T> => {
      const documents = store.collection<T>(name);
      const traced = <R>(operation: string, run: () => Promise<R>): Promise<R> => {
        if (!telemetry.recording()) return run();
        const attributes = {
          "db.system.name": system,
          "db.collection.name": name,
          "db.operation.name": operation,
        };
        return telemetry.span(`${operation} ${name}`, { kind: "client", attributes }, run);
      };
      return {
        get: (key) => traced("get", () => documents.get(key)),
        put: (...args) => traced("put", () => documents.put(...args)),
        delete: (...args) => traced("delete", () => documents.delete(...args)),
        list: (options) => traced("list", () => documents.list(options)),
        pending: (limit) => documents.pending(limit),
      };
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
