import assert from "node:assert/strict";
import { test } from "node:test";
import { keyListName } from "@heddle/kernels";
import fc from "fast-check";
import { openKeyLists } from "./key-lists.ts";

const none = new BigUint64Array();
const bytesMax = 800;
const lists = fc.array(
  fc.record({
    ids: fc.bigUint64Array({ minLength: 1, maxLength: 40 }),
    again: fc.nat(),
  }),
  { maxLength: 40 },
);

test("a list is itself or unknown, whatever came after it, and memory is bounded", () => {
  fc.assert(
    fc.property(lists, (all) => {
      const kept = openKeyLists(bytesMax);
      const seen: { name: bigint; ids: BigUint64Array }[] = [];
      for (const { ids, again } of all) {
        const name = keyListName(ids);
        // The call's memory is used again by other calls.
        const call = ids.slice();
        assert.deepEqual(kept.of(name, call), ids);
        call.fill(0n);
        assert.deepEqual(kept.of(name, none), ids);
        seen.push({ name, ids });
        assert.ok(kept.bytes <= bytesMax);
        const earlier = seen[again % seen.length]!;
        try {
          assert.deepEqual(kept.of(earlier.name, none), earlier.ids);
        } catch (error) {
          assert.equal((error as { reason?: string }).reason, "UNKNOWN_KEY_LIST", String(error));
        }
      }
    }),
  );
});

test("the least recently used list goes first, and one too large is not kept", () => {
  const kept = openKeyLists(bytesMax);
  const [a, b, c] = [1n, 2n, 3n].map((n) => new BigUint64Array(40).fill(n)) as [
    BigUint64Array,
    BigUint64Array,
    BigUint64Array,
  ];
  for (const ids of [a, b]) kept.of(keyListName(ids), ids);
  kept.of(keyListName(a), none);
  kept.of(keyListName(c), c);
  assert.deepEqual(kept.of(keyListName(a), none), a);
  assert.throws(() => kept.of(keyListName(b), none), { reason: "UNKNOWN_KEY_LIST" });
  const large = new BigUint64Array(101);
  assert.equal(kept.of(keyListName(large), large), large);
  assert.throws(() => kept.of(keyListName(large), none), { reason: "UNKNOWN_KEY_LIST" });
});

test("a name that is not the list's is refused, and a call without a name keeps nothing", () => {
  const kept = openKeyLists();
  const ids = BigUint64Array.of(1n, 2n);
  assert.throws(() => kept.of(7n, ids), { reason: "KEY_LIST_DIFFERS" });
  assert.equal(kept.of(0n, ids), ids);
  assert.equal(kept.bytes, 0);
  const name = keyListName(ids);
  kept.of(name, ids);
  assert.throws(() => kept.of(name, BigUint64Array.of(1n)), { reason: "KEY_LIST_DIFFERS" });
});
