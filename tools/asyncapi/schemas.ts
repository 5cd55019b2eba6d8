// JSON Schema of protobuf messages as protobuf's JSON mapping writes them.
// https://protobuf.dev/programming-guides/json
import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { commentOf } from "./descriptors.ts";

export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * Schemas of messages and of all that they hold, by full name. Nothing is required, for what is zero or empty is left out; nothing is
 * closed, for a later Heddle may add fields and values.
 */
export function schemasOf(messages: readonly DescMessage[]): Readonly<Record<string, JsonSchema>> {
  const schemas = new Map<string, JsonSchema>();
  const waiting: (DescMessage | DescEnum)[] = [...messages];
  for (let desc = waiting.pop(); desc !== undefined; desc = waiting.pop()) {
    if (schemas.has(desc.typeName)) continue;
    schemas.set(desc.typeName, desc.kind === "enum" ? enumSchema(desc) : messageSchema(desc));
    if (desc.kind === "message") waiting.push(...desc.fields.flatMap(heldBy));
  }
  return Object.fromEntries([...schemas].sort(([a], [b]) => (a < b ? -1 : 1)));
}

export const referenceTo = (typeName: string): JsonSchema => ({
  $ref: `#/components/schemas/${typeName}`,
});

function messageSchema(message: DescMessage): JsonSchema {
  const properties = Object.fromEntries(
    message.fields.map((field) => [field.jsonName, fieldSchema(field)]),
  );
  return { type: "object", title: message.name, description: commentOf(message), properties };
}

/** Values are names; those of today are listed as examples, because later ones may come. */
function enumSchema(desc: DescEnum): JsonSchema {
  const examples = desc.values.map(({ name }) => name);
  return { type: "string", title: desc.name, description: commentOf(desc), examples };
}

function fieldSchema(field: DescField): JsonSchema {
  const description = commentOf(field);
  switch (field.fieldKind) {
    case "list":
      return { description, type: "array", items: valueSchema(field.listKind, field) };
    case "map": {
      const additionalProperties = valueSchema(field.mapKind, field);
      return { description, type: "object", additionalProperties };
    }
    default: {
      const schema = valueSchema(field.fieldKind, field);
      // Beside a `$ref` the other keywords of draft 7 count for nothing.
      return "$ref" in schema ? { description, allOf: [schema] } : { description, ...schema };
    }
  }
}

function valueSchema(kind: "scalar" | "enum" | "message", field: DescField): JsonSchema {
  if (kind === "message" && field.message !== undefined) return referenceTo(field.message.typeName);
  if (kind === "enum" && field.enum !== undefined) return referenceTo(field.enum.typeName);
  return scalarSchema(field.scalar ?? ScalarType.STRING);
}

const integer64 = { type: "string", pattern: "^-?[0-9]+$" };
const real = { oneOf: [{ type: "number" }, { enum: ["NaN", "Infinity", "-Infinity"] }] };

function scalarSchema(scalar: ScalarType): JsonSchema {
  switch (scalar) {
    case ScalarType.STRING:
      return { type: "string" };
    case ScalarType.BOOL:
      return { type: "boolean" };
    case ScalarType.BYTES:
      return { type: "string", contentEncoding: "base64" };
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return real;
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return { type: "integer" };
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return { type: "integer", minimum: 0 };
    default:
      return integer64;
  }
}

function heldBy(field: DescField): readonly (DescMessage | DescEnum)[] {
  return [field.message ?? [], field.enum ?? []].flat();
}
