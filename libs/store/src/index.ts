export { type Aggregate } from "./aggregates/aggregate.ts";
export {
  type Aggregates,
  type Changed,
  idFromRequest,
  type Known,
} from "./aggregates/aggregates.ts";
export { type ChangeContext, changeContextOf } from "./aggregates/change-context.ts";
export { changedTo, type Decision } from "./aggregates/change.ts";
export { collectionsOf, createOnce, listAll, type StoreDeps } from "./aggregates/collections.ts";
export {
  type LmdbDatabase,
  type LmdbEnvironment,
  type LmdbOptions,
  openLmdbEnvironment,
} from "./lmdb/environment.ts";
export type { DomainEvent } from "./aggregates/event.ts";
export { openLmdbStore } from "./lmdb/lmdb.ts";
export { type MongoConnection, type MongoOptions, openMongo } from "./mongo/connection.ts";
export { openMongoStore } from "./mongo/mongo-store.ts";
export type { MongoLimits } from "./mongo/runs.ts";
export type { Outbox } from "./aggregates/outbox.ts";
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
} from "./aggregates/relay.ts";
export { traceStore } from "./traced-store.ts";
