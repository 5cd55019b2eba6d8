export { type Aggregate } from "./aggregate.ts";
export { type Aggregates, type Changed, idFromRequest, type Known } from "./aggregates.ts";
export { type ChangeContext, changeContextOf } from "./change-context.ts";
export type { Decision } from "./change.ts";
export { collectionsOf, createOnce, listAll, type StoreDeps } from "./collections.ts";
export {
  type LmdbDatabase,
  type LmdbEnvironment,
  type LmdbOptions,
  openLmdbEnvironment,
} from "./environment.ts";
export type { DomainEvent } from "./event.ts";
export { openLmdbStore } from "./lmdb.ts";
export { type MongoConnection, type MongoOptions, openMongo } from "./mongo/connection.ts";
export { openMongoStore } from "./mongo/mongo-store.ts";
export type { MongoLimits } from "./mongo/runs.ts";
export type { Outbox } from "./outbox.ts";
export {
  type Documents,
  type DocumentStore,
  type ListOptions,
  type Page,
  type Stored,
  type WriteOptions,
} from "./port.ts";
export { openRecord, type SealedRecord, sealRecord } from "./record.ts";
export {
  entryOf,
  type OutboxRecord,
  type RecordSink,
  type RelayDeps,
  relayOutbox,
  startRelay,
  verifyChain,
} from "./relay.ts";
export { traceStore } from "./traced-store.ts";
