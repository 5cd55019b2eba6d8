export type { KafkaUser } from "./client.ts";
export { type KafkaLogDeps, openKafkaLog } from "./kafka-log.ts";
