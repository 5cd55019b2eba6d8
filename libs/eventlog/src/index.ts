export { type LocalLogDeps, openLocalLog, readLimitMax } from "./local-log.ts";
export {
  type EventLog,
  type LogRecord,
  type NewRecord,
  type Position,
  recordBytesMax,
  type SubscribeOptions,
  type UselessRecord,
} from "./port.ts";
