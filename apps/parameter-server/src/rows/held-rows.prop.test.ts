import assert from "node:assert/strict";
import { test } from "node:test";
import { isHeddleError } from "@heddle/base";
import fc from "fast-check";
import { wantedOf } from "./held-rows.ts";

const ids = fc.bigUint64Array({ maxLength: 40 });

test("of ids and a bit for each those without one are wanted, in their order", () => {
  fc.assert(
    fc.property(ids, fc.infiniteStream(fc.boolean()), (all, has) => {
      const which = [...all].map(() => has.next().value as boolean);
      const held = new Uint8Array(Math.ceil(all.length / 8));
      which.forEach((one, i) => {
        if (one) held[i >> 3]! |= 1 << (i & 7);
      });
      const expected = [...all].filter((_, i) => !which[i]);
      assert.deepEqual([...wantedOf(all, held)], expected);
      assert.equal(wantedOf(all, new Uint8Array()), all, "without bits all are");
    }),
  );
});

test("any other bytes are refused by name, and nothing is read", () => {
  fc.assert(
    fc.property(ids, fc.uint8Array({ maxLength: 9 }), (all, held) => {
      const bits = held.length * 8 - all.length;
      const spare = bits > 0 && bits < 8 ? (held.at(-1) as number) >> (8 - bits) : 0;
      const fits = held.length === 0 || (bits >= 0 && bits < 8 && spare === 0);
      try {
        const wanted = wantedOf(all, held);
        assert.ok(fits && wanted.length <= all.length);
      } catch (error) {
        assert.ok(!fits && isHeddleError(error, "WRONG_SIZE"), String(error));
      }
    }),
  );
});
