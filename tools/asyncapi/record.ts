// What is around an event's message: the record's headers and the envelope of its value.
import type { JsonSchema } from "./schemas.ts";

const string = (description: string): JsonSchema => ({ type: "string", description });
const digest = (description: string): JsonSchema => ({
  ...string(description),
  pattern: "^[0-9a-f]{64}$",
});

const traceparent = string("W3C trace context of the request that caused it; absent without one.");

/** CloudEvents 1.0 in the binary form of its Kafka binding. */
export function headersOf(typeName: string, services: readonly string[]): JsonSchema {
  return {
    type: "object",
    required: ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_subject", "ce_time"],
    properties: {
      ce_specversion: { type: "string", const: "1.0" },
      ce_id: {
        ...string(
          "`<aggregate>/<revision>/<n>`: the same each time a record is sent. Of one type and key, what is not above the highest (revision, n) that was seen is a repeat.",
        ),
        pattern: "^.+/[0-9]+/[0-9]+$",
      },
      ce_type: { type: "string", const: typeName },
      ce_source: { type: "string", enum: services.map((service) => `//heddle/${service}`) },
      ce_subject: string("The aggregate's id, as the record's key."),
      ce_time: { ...string("When it happened, UTC."), format: "date-time" },
      "content-type": { type: "string", const: "application/json" },
      traceparent,
    },
  };
}

/** A record's value: the event and the audit record of the change, in one. */
export const envelope = (data: JsonSchema, typeName: string, topic: string): JsonSchema => ({
  type: "object",
  required: ["revision", "timeMs", "actor", "topic", "type", "data"],
  properties: {
    revision: {
      type: "integer",
      minimum: 1,
      description: "The aggregate's revision after the change.",
    },
    timeMs: { type: "integer", description: "When it happened, milliseconds since the epoch." },
    actor: string("Who asked for it."),
    topic: { type: "string", const: topic },
    type: { type: "string", const: typeName },
    data,
    requestId: string("The request that caused it."),
    digestBefore: string("SHA-256 of the aggregate's state before; empty before the first."),
    digestAfter: digest("SHA-256 of the aggregate's state after."),
    previous: digest("Hash of the aggregate's record before this one; zeros before the first."),
    traceparent,
  },
});

const place = (name: string): JsonSchema => string(`${name} of the record.`);

/** A dead letter has the headers of its record and these. */
export const letterHeaders: JsonSchema = {
  type: "object",
  required: [
    "dead_letter_reason",
    "dead_letter_topic",
    "dead_letter_partition",
    "dead_letter_offset",
  ],
  properties: {
    dead_letter_reason: string("Why nobody could use it; for a source's events `REASON: message`."),
    dead_letter_topic: place("Topic"),
    dead_letter_partition: place("Partition"),
    dead_letter_offset: place("Offset"),
    dead_letter_tries: string("How often a handler failed on it; absent when none was asked."),
  },
};
