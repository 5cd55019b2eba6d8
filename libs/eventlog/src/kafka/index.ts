export type { KafkaUser } from "./client.ts";
export { type KafkaLog, type KafkaLogDeps, openKafkaLog } from "./kafka-log.ts";
