/** A record of Heddle's event log, as far as this consumer needs it: docs/reference/asyncapi.json has it all. */
export interface Event {
  /** CloudEvents type. */
  readonly type: string;
  readonly key: string;
  /** Place among the records of its type and key; what is not above the highest that was seen is a repeat. */
  readonly revision: number;
  readonly n: number;
  /** The protobuf JSON of the message; what is zero or empty is left out, and fields may come that we do not know. */
  readonly data: Readonly<Record<string, unknown>>;
}

type Header = Buffer | string | (Buffer | string)[] | undefined;

export interface RawRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Header>>;
}

/** @throws {SyntaxError} when the record is no event, with why. */
export function eventOf({ key, value, headers }: RawRecord): Event {
  const type = text(headers["ce_type"]);
  const [, revision, n] = /\/(\d+)\/(\d+)$/.exec(text(headers["ce_id"])) ?? [];
  if (type === "" || revision === undefined) throw new SyntaxError("it has no CloudEvents headers");
  if (key === null || value === null) throw new SyntaxError("it has no key or no value");
  const data = (JSON.parse(value.toString()) as { data?: unknown } | null)?.data;
  if (typeof data !== "object" || data === null) throw new SyntaxError("its value has no data");
  const place = { revision: Number(revision), n: Number(n) };
  return { type, key: key.toString(), ...place, data: data as Event["data"] };
}

/** kafkajs gives headers as bytes; one that is repeated as a list, of which the last counts. */
function text(header: Header): string {
  return String((Array.isArray(header) ? header.at(-1) : header) ?? "");
}
