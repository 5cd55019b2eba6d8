import type { SpanOptions, Telemetry } from "@heddle/telemetry";
import type { EventLog, LogRecord, NewRecord } from "./port.ts";

/**
 * The log with spans for what is sent, received and processed, whatever stands behind it. A record that carries no `traceparent` gets that
 * of its sending, so that its consumer goes on in the same trace. Where nothing is traced nothing is added.
 *
 * @param system what stands behind it: `kafka`, `heddle-log`.
 * @source OpenTelemetry semantic conventions for messaging: names of spans and attributes.
 */
export function traceLog(log: EventLog, telemetry: Telemetry, system: string): EventLog {
  const optionsOf = (operation: string, topic: string, records?: number): SpanOptions => ({
    attributes: {
      "messaging.system": system,
      "messaging.operation.type": operation,
      "messaging.destination.name": topic,
      ...(records !== undefined && { "messaging.batch.message_count": records }),
    },
  });
  return {
    ...log,
    append: (topic, records) => {
      // What a relay sends belongs to the traces of the changes behind it.
      const parent = telemetry.recording() ? undefined : records.find(isTraced)?.headers;
      if (parent === undefined && !telemetry.recording()) return log.append(topic, records);
      const options: SpanOptions = {
        ...optionsOf("send", topic, records.length),
        kind: "producer",
        ...(parent && { parent: parent["traceparent"] ?? "" }),
      };
      return telemetry.span(`send ${topic}`, options, () =>
        log.append(topic, inTrace(records, telemetry.traceparent())),
      );
    },
    read: (topic, partition, offset, limit) => {
      const read = (): Promise<readonly LogRecord[]> => log.read(topic, partition, offset, limit);
      if (!telemetry.recording()) return read();
      const { attributes } = optionsOf("receive", topic);
      const place = { "messaging.destination.partition.id": String(partition) };
      const options = { kind: "client" as const, attributes: { ...attributes, ...place } };
      return telemetry.span(`receive ${topic}`, options, read);
    },
    subscribe: (options, handle, signal) =>
      log.subscribe(
        options,
        (record, stop) => {
          const { traceparent: parent } = record.headers;
          if (parent === undefined) return handle(record, stop);
          const { attributes } = optionsOf("process", record.topic);
          const place = {
            "messaging.consumer.group.name": options.group,
            "messaging.destination.partition.id": String(record.partition),
            "messaging.kafka.offset": record.offset,
          };
          const span = {
            kind: "consumer" as const,
            parent,
            attributes: { ...attributes, ...place },
          };
          return telemetry.span(`process ${record.topic}`, span, () => handle(record, stop));
        },
        signal,
      ),
  };
}

const isTraced = ({ headers }: NewRecord): boolean => headers["traceparent"] !== undefined;

function inTrace(
  records: readonly NewRecord[],
  traceparent: string | undefined,
): readonly NewRecord[] {
  if (traceparent === undefined || records.every(isTraced)) return records;
  return records.map((record) =>
    isTraced(record) ? record : { ...record, headers: { ...record.headers, traceparent } },
  );
}
