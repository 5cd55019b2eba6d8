import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { PullResponseSchema, PushRequestSchema } from "@heddle/proto/parameter-server";
import fc from "fast-check";
import { attach, detach } from "./bulk.ts";

const bytes = fc.uint8Array({ maxLength: 30 });
const pushes = fc.record({
  fence: fc.bigInt({ min: 0n, max: 1n << 40n }),
  cut: fc.boolean(),
  tables: fc.array(fc.record({ table: fc.string(), ids: bytes, gradients: bytes }), {
    maxLength: 3,
  }),
  dense: bytes,
});

function payloadOf(segments: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(segments.map((s) => Buffer.concat([s, Buffer.alloc(-s.length & 7)])));
}

test("a message without its bytes and its bytes make the message again", () => {
  fc.assert(
    fc.property(pushes, fc.array(bytes), (push, rows) => {
      for (const [schema, init] of [
        [PushRequestSchema, push],
        [PullResponseSchema, { rows, step: 3n }],
      ] as const) {
        const message = create(schema as typeof PushRequestSchema, init as never);
        const before = toBinary(schema as typeof PushRequestSchema, message);
        const { message: bare, segments } = detach(schema as typeof PushRequestSchema, message);
        const lengths = segments.map(({ length }) => length);
        const again = attach(
          schema as typeof PushRequestSchema,
          bare,
          lengths,
          payloadOf(segments),
        );
        assert.deepEqual(toBinary(schema as typeof PushRequestSchema, again!), before);
        assert.deepEqual(
          toBinary(schema as typeof PushRequestSchema, message),
          before,
          "unchanged",
        );
      }
    }),
  );
});

test("bytes that do not fit their message make nothing", () => {
  const message = create(PullResponseSchema, {
    rows: [Uint8Array.of(1, 2)],
    dense: Uint8Array.of(3),
  });
  const { message: bare, segments } = detach(PullResponseSchema, message);
  const payload = payloadOf(segments);
  const make = (lengths: number[], from = bare, over = payload) =>
    attach(PullResponseSchema, from, lengths, over);
  assert.deepEqual(make([2, 1])?.rows[0]?.length, 2);
  for (const lengths of [[], [2], [2, 1, 0], [2, 9], [10, 1], [2, 0], [0, 0]]) {
    assert.equal(make(lengths), undefined, String(lengths));
  }
  assert.equal(make([2, 1], bare, payload.subarray(0, 8)), undefined);
  const doubled = toBinary(PullResponseSchema, message);
  assert.equal(make([2, 1], doubled), undefined, "bytes within the message, too");
  assert.ok(fromBinary(PullResponseSchema, doubled));
});
