import {
  create,
  type DescMessage,
  fromBinary,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { assert } from "@heddle/base";
import { padded } from "./frame.ts";

/** A message without the content of its bytes fields, and that content in order of appearance. */
export interface Detached {
  /** Protobuf; each bytes field is empty, lists keep their length. */
  readonly message: Uint8Array<ArrayBuffer>;
  readonly segments: readonly Uint8Array[];
}

// Messages are handled by their descriptor, as protobuf-es's own codecs do.
type Fields = Record<string, unknown>;
/** What to do with each bytes value that a walk meets. */
type Visit = (bytes: Uint8Array) => Uint8Array;

/** @param message complete, as `create` makes it; it is not changed, and its bytes are not copied. */
export function detach<D extends DescMessage>(schema: D, message: MessageShape<D>): Detached {
  const segments: Uint8Array[] = [];
  const empty = new Uint8Array();
  const bare = walk(schema, message, (bytes) => {
    segments.push(bytes);
    return empty;
  });
  return { message: toBinary(schema, create(schema, bare as never)), segments };
}

/**
 * The message again; its bytes are views of the payload.
 *
 * @returns undefined when message and segments do not fit together.
 */
export function attach<D extends DescMessage>(
  schema: D,
  message: Uint8Array,
  segmentBytes: readonly number[],
  payload: Uint8Array,
): MessageShape<D> | undefined {
  let taken = 0;
  let offset = 0;
  let fits = true;
  const bare = fromBinary(schema, message) as Fields;
  const whole = walk(schema, bare, (bytes) => {
    const length = segmentBytes[taken++] ?? Number.NaN;
    const segment = payload.subarray(offset, offset + length);
    offset += padded(length);
    fits &&= bytes.length === 0 && segment.length === length;
    return segment;
  });
  if (!fits || taken !== segmentBytes.length || offset !== payload.length) return undefined;
  return create(schema, whole as never);
}

/** A copy of the message in which each bytes value was visited, in order of the contract's fields. */
function walk(schema: DescMessage, message: Fields, visit: Visit): Fields {
  assert(
    schema.oneofs.length === 0,
    `a lane carries no message with a choice of fields, as ${schema.typeName} has`,
  );
  const copy: Fields = {};
  for (const { localName, fieldKind, ...field } of schema.fields) {
    const value = message[localName];
    if (value === undefined) continue;
    const of = (one: unknown): unknown => {
      if (field.message !== undefined) return walk(field.message, one as Fields, visit);
      return one instanceof Uint8Array ? visit(one) : one;
    };
    if (fieldKind === "list") copy[localName] = (value as unknown[]).map(of);
    else copy[localName] = fieldKind === "map" ? value : of(value);
  }
  return copy;
}
