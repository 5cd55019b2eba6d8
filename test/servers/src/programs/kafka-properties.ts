import { join } from "node:path";

/**
 * `server.properties` of one node that is small and quick to start and to rebalance. A partition keeps some 200 MB, so that a load test
 * does not fill the disk.
 *
 * @param ports of the broker, of the broker for strangers, and of the controller; without that one it is a broker only.
 */
export function kafkaProperties(
  folder: string,
  [broker = 0, stranger = 0, controller]: readonly number[],
  settings: Readonly<Record<string, string>>,
): string {
  const at = (port = 0): string => `127.0.0.1:${port}`;
  const listeners = `PLAINTEXT://${at(broker)},STRANGER://${at(stranger)}`;
  const security = "org.apache.kafka.common.security";
  const lines = {
    "process.roles": controller === undefined ? "broker" : "broker,controller",
    "node.id": "1",
    "controller.quorum.voters": `1@${at(controller)}`,
    listeners: controller === undefined ? listeners : `${listeners},CONTROLLER://${at(controller)}`,
    "advertised.listeners": listeners,
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map":
      "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,STRANGER:SASL_PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
    "listener.name.stranger.plain.sasl.jaas.config": `${security}.plain.PlainLoginModule required user_stranger="stranger-secret";`,
    "listener.name.stranger.scram-sha-512.sasl.jaas.config": `${security}.scram.ScramLoginModule required;`,
    // A connection by password says again who it is, so that a user who is gone is noticed.
    "listener.name.stranger.scram-sha-512.connections.max.reauth.ms": "2000",
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",
    "log.dirs": join(folder, "data"),
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    // After a kill the controller waits so long before it lets the broker back in.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "log.segment.bytes": String(32 << 20),
    "log.retention.bytes": String(192 << 20),
    "log.retention.check.interval.ms": "2000",
    "log.segment.delete.delay.ms": "1000",
    "log.cleaner.dedupe.buffer.size": String(8 << 20),
    ...ofOneNode("offsets.topic.replication.factor", "offsets.topic.num.partitions"),
    ...ofOneNode("transaction.state.log.replication.factor", "transaction.state.log.min.isr"),
    ...ofOneNode("transaction.state.log.num.partitions"),
    ...ofOneNode("share.coordinator.state.topic.replication.factor"),
    ...ofOneNode("share.coordinator.state.topic.min.isr"),
    ...ofOneNode("share.coordinator.state.topic.num.partitions"),
    ...settings,
  };
  return Object.entries(lines)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

function ofOneNode(...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, "1"]));
}
