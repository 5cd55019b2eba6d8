export { openLocalLog } from "./local-log.ts";
export { type LocalLogDeps } from "./local-partitions.ts";
export {
  type EventLog,
  type LogRecord,
  type NewRecord,
  type Position,
  readLimitMax,
  recordBytesMax,
  type SubscribeOptions,
  type UselessRecord,
} from "./port.ts";
export { auditTopic, type EventTopic, eventTopics, ingestTopicOf, lettersOf } from "./topics.ts";
export { traceLog } from "./traced-log.ts";
