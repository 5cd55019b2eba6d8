import { murmur2 } from "@platformatic/kafka";

/**
 * The partition of a key.
 *
 * @source `BuiltInPartitioner.partitionForKey` of Apache Kafka: other teams' producers put a key into the same partition.
 */
export function partitionOf(key: string, partitions: number): number {
  return (murmur2(Buffer.from(key)) & 0x7fffffff) % partitions;
}
