import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createRegistry,
  type DescField,
  fromJson,
  type JsonValue,
  ScalarType,
} from "@bufbuild/protobuf";
import { seededRandom } from "@heddle/base";
import { EvaluationEventSchema, MetricEventSchema } from "@heddle/proto/evaluator";
import {
  DatasetEventSchema,
  FeatureViewEventSchema,
  SourceEventSchema,
} from "@heddle/proto/feature-store";
import { ModelEventSchema } from "@heddle/proto/registry";
import { PipelineEventSchema, PipelineRunEventSchema } from "@heddle/proto/scheduler";
import { RolloutEventSchema } from "@heddle/proto/sync";
import { entryOf } from "@heddle/store";
import { type EventLog, type LogRecord, type NewRecord, recordBytesMax } from "./port.ts";
import { auditTopic, type EventTopic, eventTopics, lettersOf } from "./topics.ts";

const messages = createRegistry(
  ...[SourceEventSchema, FeatureViewEventSchema, DatasetEventSchema, ModelEventSchema],
  ...[PipelineEventSchema, PipelineRunEventSchema, RolloutEventSchema],
  ...[EvaluationEventSchema, MetricEventSchema],
);

/** A record, and what becomes of it at a consumer that goes by the contract: words of the reason where it is a dead letter. */
interface Case {
  readonly what: string;
  readonly record: NewRecord;
  readonly fate: "taken" | "unknown" | RegExp;
}

/**
 * What every event log does with records that nobody can use, on each topic that the contract describes.
 *
 * @param randomCases how many records of random bytes are among them; `seed` says which.
 */
export function badRecordsContract(
  name: string,
  open: (place: string) => Promise<EventLog>,
  { seed, randomCases, skip = false }: { seed: number; randomCases: number; skip?: string | false },
): void {
  for (const topic of [...Object.values(eventTopics), auditTopic]) {
    test(
      `${name}: garbage, a poisoned record and later events on ${topic.name} hold up nothing: after three tries a record is a dead letter with its reason, in order`,
      { skip, timeout: 60_000 },
      async () => {
        await using log = await open(topic.name);
        const cases = casesOf(topic, seed, randomCases);
        await log.append(
          topic.name,
          cases.map(({ record }) => record),
        );
        const { tries, fates } = await consume(log, topic, cases.at(-1)?.what ?? "");
        const isBad = ({ fate }: Case): boolean => fate instanceof RegExp;
        for (const [n, each] of cases.entries()) {
          assert.equal(tries[n], isBad(each) ? 3 : 1, each.what);
          if (!isBad(each)) assert.equal(fates[n], each.fate, each.what);
        }
        const bad = [...cases.entries()].filter(([, each]) => isBad(each));
        const letters = await lettersIn(log, topic.name);
        assert.equal(letters.length, bad.length);
        for (const [at, [offset, { what, record, fate }]] of bad.entries()) {
          const letter = letters[at] ?? assert.fail(what);
          assert.deepEqual([letter.key, Buffer.from(letter.value)], [what, bytesOf(record)]);
          const { dead_letter_reason: reason = "", ...headers } = letter.headers;
          assert.match(reason, fate as RegExp, what);
          assert.deepEqual(headers, {
            ...record.headers,
            ...{ dead_letter_tries: "3", dead_letter_topic: topic.name },
            ...{ dead_letter_partition: "0", dead_letter_offset: String(offset) },
          });
        }
        // The group has passed by all of them for good.
        const next = { ...(cases[0]?.record ?? assert.fail()), key: "next" };
        await log.append(topic.name, [next]);
        assert.deepEqual((await consume(log, topic, "next")).tries, { [cases.length]: 1 });
      },
    );
  }
}

/** All dead letters of a topic, of one partition, in order. */
export async function lettersIn(log: EventLog, topic: string): Promise<readonly LogRecord[]> {
  const letters: LogRecord[] = [];
  for (;;) {
    const some = await log.read(lettersOf(topic), 0, (letters.at(-1)?.offset ?? -1) + 1, 1_000);
    if (some.length === 0) return letters;
    letters.push(...some);
  }
}

const bytesOf = ({ value }: NewRecord): Buffer => Buffer.from(value);

/** Consumes up to the record of this key. */
async function consume(log: EventLog, topic: EventTopic, last: string) {
  const stop = new AbortController();
  const tries: Record<number, number> = {};
  const fates: Record<number, string> = {};
  const handle = async (record: LogRecord): Promise<void> => {
    const { offset } = record;
    tries[offset] = (tries[offset] ?? 0) + 1;
    fates[offset] = take(topic, record);
    if (record.key === last) stop.abort();
  };
  await log.subscribe({ topic: topic.name, group: "consumer" }, handle, stop.signal);
  return { tries, fates };
}

/**
 * What a consumer makes of a record by the published contract: events of other types and fields it does not know it passes by.
 *
 * @throws when the record is no event.
 */
function take(topic: EventTopic, record: LogRecord): "taken" | "unknown" {
  const type = record.headers["ce_type"];
  if (type === undefined) throw new Error("it has no CloudEvents headers");
  const schema = messages.getMessage(type);
  if (schema === undefined || !topic.events.includes(type)) return "unknown";
  fromJson(schema, entryOf(record).data as JsonValue, { ignoreUnknownFields: true });
  if (record.key === poison) throw new Error("nobody can take this one");
  return "taken";
}

const poison = "a poisoned event";

function casesOf(topic: EventTopic, seed: number, randomCases: number): readonly Case[] {
  const [type = ""] = topic.events;
  const schema = messages.getMessage(type) ?? assert.fail(`${type} is of no topic`);
  const text = schema.fields.find(isText) ?? assert.fail(`${type} has no text`);
  const event = (data: unknown): string => JSON.stringify({ revision: 1, type, data });
  const known = event({ [text.jsonName]: "x" });
  const headers = { ce_specversion: "1.0", ce_id: "x/1/0", ce_type: type };
  const caseOf = (
    what: string,
    fate: Case["fate"],
    value: string | Uint8Array,
    more: object = headers,
  ): Case => ({
    ...{ what, fate },
    record: { key: what, value: Buffer.from(value as string), headers: { ...more } },
  });
  const typed = (ce_type: string) => ({ ...headers, ce_type });
  const random = Array.from({ length: randomCases }, (_, n) => {
    const { below } = seededRandom(seed).split(`${topic.name} ${n}`);
    return Uint8Array.from({ length: 1 + below(200) }, () => below(256));
  });
  return [
    caseOf("an event", "taken", known),
    caseOf("nothing", /JSON/, ""),
    ...random.map((bytes, n) => caseOf(`random bytes ${n} of seed ${seed}`, /./, bytes)),
    caseOf("half an event", /JSON/, known.slice(0, -3)),
    caseOf("a number", /decode/, "7"),
    caseOf("an event without data", /decode/, JSON.stringify({ revision: 1, type })),
    caseOf("an event without headers", /no CloudEvents headers/, known, {}),
    caseOf("a field of another type", new RegExp(text.name), event({ [text.jsonName]: {} })),
    caseOf("the largest record there may be", /JSON/, "x".repeat(recordBytesMax - 300)),
    caseOf("a field of later", "taken", event({ unheardOf: { since: "v1.9" } })),
    caseOf("a type of later", "unknown", known, typed(`${schema.file.proto.package}.LaterEvent`)),
    caseOf("a type of the next version", "unknown", known, typed(type.replace(".v1.", ".v2."))),
    caseOf(poison, /nobody can take this one/, known),
    caseOf("the last event", "taken", known),
  ];
}

const isText = (field: DescField): boolean =>
  field.fieldKind === "scalar" && field.scalar === ScalarType.STRING;
