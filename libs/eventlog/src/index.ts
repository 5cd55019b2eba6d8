export { offsetGone } from "./errors.ts";
export { openLocalLog } from "./local/local-log.ts";
export { type LocalLogDeps } from "./local/local-partitions.ts";
export {
  type EventLog,
  type Follower,
  type LogRecord,
  type NewRecord,
  type Position,
  readLimitMax,
  recordBytesMax,
  type SubscribeOptions,
  type TopicNow,
  unreadableHeader,
  type UselessRecord,
} from "./port.ts";
export {
  auditTopic,
  type EventTopic,
  eventTopics,
  ingestTopicOf,
  lettersOf,
  onlineTopic,
} from "./topics.ts";
export { traceLog } from "./traced-log.ts";
