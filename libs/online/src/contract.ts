import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { OnlineValues } from "./port.ts";

/**
 * What every backend of online values promises.
 *
 * @param open opens the values of a place: the same place twice shows the same rows.
 */
export function onlineContract(
  name: string,
  open: (place: string) => Promise<OnlineValues>,
  options: { readonly skip?: string | false } = {},
): void {
  let places = 0;
  const check = (
    claim: string,
    body: (online: OnlineValues, place: string) => Promise<void>,
  ): void => {
    test(`${name}: ${claim}`, { skip: options.skip ?? false }, async () => {
      const place = `place-${(places += 1)}`;
      await using online = await open(place);
      await body(online, place);
    });
  };
  const row = (key: string, eventTimeMs: number, n: number) => ({
    key,
    eventTimeMs,
    values: { n },
  });

  check("rows come in the order of the keys, with gaps where none is known", async (online) => {
    const values = { n: 1, text: "ü", list: [1.5, null], flag: true };
    await online.put("v/1", [{ key: "a", eventTimeMs: 5, values }, row("b", 6, 2)]);
    assert.deepEqual(await online.get("v/1", ["b", "none", "a", "b"]), [
      row("b", 6, 2),
      undefined,
      { key: "a", eventTimeMs: 5, values },
      row("b", 6, 2),
    ]);
    assert.deepEqual(await online.get("v/2", ["a"]), [undefined]);
    assert.deepEqual(await online.get("v/1", []), []);
  });

  check("an older row never replaces a newer one, also in one call", async (online) => {
    await online.put("v", [row("a", 10, 1)]);
    await online.put("v", [row("a", 9, 2)]);
    assert.deepEqual(await online.get("v", ["a"]), [row("a", 10, 1)]);
    await online.put("v", [row("a", 12, 3), row("a", 11, 4)]);
    assert.deepEqual(await online.get("v", ["a"]), [row("a", 12, 3)]);
  });

  check("many rows are written, and clearing a view leaves the others", async (online) => {
    const many = Array.from({ length: 2_500 }, (_, n) => row(`k${n}`, n, n));
    await Promise.all(["v", "v/1", "w"].map((view) => online.put(view, many)));
    await online.clear("v");
    assert.deepEqual(await online.get("v", ["k0", "k2499"]), [undefined, undefined]);
    for (const view of ["v/1", "w"]) {
      assert.deepEqual(await online.get(view, ["k0", "k2499"]), [many[0], many[2_499]]);
    }
    await online.put("v", [row("k0", 0, 7)]);
    assert.deepEqual(await online.get("v", ["k0"]), [row("k0", 0, 7)]);
  });

  check("a row that JSON cannot carry, or out of bounds, is refused whole", async (online) => {
    const refused = { code: "INVALID_ARGUMENT", reason: "ROW_INVALID" };
    const bad = [
      row("b", 1, NaN),
      row("b", Infinity, 1),
      row("", 1, 1),
      row("b".repeat(1_100), 1, 1),
      { key: "b", eventTimeMs: 1, values: { text: "x".repeat(70_000) } },
    ];
    for (const each of bad) {
      await assert.rejects(online.put("v", [row("a", 1, 1), each]), refused);
    }
    await assert.rejects(online.put("v w", [row("a", 1, 1)]), refused);
    assert.deepEqual(await online.get("v", ["a"]), [undefined]);
  });

  check("what is put here is not missing here for long", async (online) => {
    const begun = performance.now();
    await online.put("v", [row("a", 1, 1)]);
    await online.catchUp();
    while (online.lagMs() > performance.now() - begun) await nextTurn();
    assert.deepEqual(await online.get("v", ["a"]), [row("a", 1, 1)]);
  });

  check("rows outlive the process's view of them", async (online, place) => {
    await online.put("v", [row("a", 1, 1)]);
    await online[Symbol.asyncDispose]();
    await using again = await open(place);
    assert.deepEqual(await again.get("v", ["a"]), [row("a", 1, 1)]);
  });
}
