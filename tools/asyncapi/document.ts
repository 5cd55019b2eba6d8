import { present } from "@heddle/base";
import {
  auditTopic,
  type EventTopic,
  eventTopics,
  ingestTopicOf,
  lettersOf,
} from "@heddle/eventlog";
import type { DescMessage, FileRegistry } from "@bufbuild/protobuf";
import { commentOf } from "./descriptors.ts";
import { envelope, headersOf, letterHeaders } from "./record.ts";
import { referenceTo, schemasOf } from "./schemas.ts";

type Json = Readonly<Record<string, unknown>>;

const about = `What Heddle tells on its event log, and what it takes from there.

**Order.** Records of one key lie in one partition, in the order in which they happened; there is no order across keys or topics. The partition is murmur2 of the key, as in Kafka's own producers.

**At least once.** A record may come again, with the same \`ce_id\`. Of each type and key keep the highest (revision, n) and drop what is not above it.

**Retention** is by time, 168 hours unless the operator says otherwise. A topic is no place to keep things: who comes later asks the services.

**Evolution.** Fields, values of enums, message types and topics may be added; ignore those you do not know. Nothing is removed or changes its meaning under \`v1\`: \`buf breaking\` compares each change with what landed before.

**Prefix.** An operator may put a prefix before all topics and groups; ask for it together with the brokers.`;

/** The AsyncAPI 3 document of the topics, with the messages that the contracts describe. */
export function asyncApi(contracts: FileRegistry): Json {
  const topics: readonly EventTopic[] = [...Object.values(eventTopics), auditTopic];
  const names = [...new Set(topics.flatMap(({ events }) => events))].sort();
  const messages = names.map((name) => messageOf(contracts, name));
  return {
    asyncapi: "3.0.0",
    info: {
      ...{ title: "Heddle events", version: "1.0.0", description: about },
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    defaultContentType: "application/json",
    servers: { kafka },
    channels: Object.fromEntries([
      ...topics.map((topic) => [topic.name, channelOf(topic, contracts)]),
      [ingest.name, ingest.channel],
      [letters.name, letters.channel],
    ]),
    operations: Object.fromEntries([
      ...topics.map((topic) => [`publish-${topic.name}`, operation("send", topic.name)]),
      ["take-events-of-a-source", operation("receive", ingest.name)],
      ["lay-aside-what-nobody-could-use", operation("send", letters.name)],
    ]),
    components: { schemas: schemasOf(messages) },
  };
}

const kafka: Json = {
  host: "{brokers}",
  protocol: "kafka",
  description:
    "The Kafka that `HEDDLE_LOG_URL` names; without it the log is within the host, and nobody else reads it.",
  variables: { brokers: { description: "`host:port`, comma-separated: some of the brokers." } },
};

/** Records are cleaned by time alone; the largest record has room for its headers. */
const channelBindings: Json = {
  kafka: {
    topicConfiguration: { "cleanup.policy": ["delete"], "max.message.bytes": 2 << 20 },
    bindingVersion: "0.5.0",
  },
};

const keyBinding = (description: string): Json => ({
  kafka: { key: { type: "string", description }, bindingVersion: "0.5.0" },
});

function channelOf(topic: EventTopic, contracts: FileRegistry): Json {
  const messages = topic.events.map((typeName) => {
    const message = messageOf(contracts, typeName);
    return [
      typeName,
      {
        ...{ name: typeName, title: message.name, summary: commentOf(message) },
        contentType: "application/json",
        headers: headersOf(typeName, topic.services),
        payload: envelope(referenceTo(typeName), typeName, topic.name),
        bindings: keyBinding(`The ${topic.key}.`),
      },
    ] as const;
  });
  return {
    ...{ address: topic.name, description: topic.about, bindings: channelBindings },
    messages: Object.fromEntries(messages),
  };
}

/** Events that producers append for a source, and that stay until their window is cut. */
const ingest = {
  name: "heddle.ingest",
  channel: {
    address: ingestTopicOf("{source}"),
    description:
      "Events on their way into a source that declares a `stream`, from any producer. A record leaves once its window is cut. What is no event of the source goes to the dead letters, with its reason; an event that comes twice counts once, by the source's `eventId`.",
    parameters: { source: { description: "Name of the source." } },
    bindings: channelBindings,
    messages: {
      event: {
        ...{ name: "event", contentType: "application/json" },
        summary: "One event; at most 1 MiB with key and headers.",
        payload: {
          type: "object",
          description: "The source's columns by name, as its definition declares them.",
        },
        bindings: keyBinding(
          "The producer's, of many values: a window takes the same number of records from each partition.",
        ),
      },
    },
  },
};

/** Of every topic. */
const letters = {
  name: "dead-letter",
  channel: {
    address: lettersOf("{topic}"),
    description:
      "Records of a topic that a consumer of Heddle failed on three times, or that are no event of their source: key, value and headers as they were. Their partition goes on behind them. One may be here twice.",
    parameters: { topic: { description: "Name of the topic." } },
    bindings: channelBindings,
    messages: {
      letter: {
        ...{ name: "letter", contentType: "application/octet-stream" },
        summary: "A record as it was, and why it is here.",
        headers: letterHeaders,
        payload: {},
        bindings: keyBinding("That of the record."),
      },
    },
  },
};

function operation(action: "send" | "receive", channel: string): Json {
  return { action, channel: { $ref: `#/channels/${channel}` } };
}

function messageOf(contracts: FileRegistry, name: string): DescMessage {
  return present(contracts.getMessage(name), `message ${name} of a topic`);
}
