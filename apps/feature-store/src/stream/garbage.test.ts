import assert from "node:assert/strict";
import { test } from "node:test";
import { ingestTopicOf } from "@heddle/eventlog";
import { sample } from "@heddle/testkit";
import { append, clickEvents, clicks, untilCut, view, windows } from "../fixtures/clicks.ts";
import { garbage } from "../fixtures/garbage.ts";
import { openWorld } from "../fixtures/world.ts";

const good = clickEvents(40).slice(10, 13);

for (const [what, value] of sample(garbage, 4)) {
  test(`${what} on a source's topic is a dead letter with its reason, and its window goes on`, async () => {
    await using world = await openWorld();
    await world.apply(clicks, view);
    const topic = ingestTopicOf("clicks");
    const record = (bytes: string | Uint8Array) => ({
      ...{ key: "k", headers: {} },
      value: Buffer.from(bytes as string),
    });
    const values = [value, good[0] ?? "", value, good[1] ?? "", value];
    await world.eventLog.append(topic, values.map(record));
    // The service hears of what comes by its own call at once.
    await append(world, [good[2] ?? ""]);
    const { windows: cut, problem, refused } = await untilCut(world, 6);
    assert.deepEqual([cut, problem], [1, ""], `${what}: ${JSON.stringify(Object.keys(refused))}`);
    assert.equal((await windows(world, 0, 0)).rows, 3);
    const letters = await world.eventLog.read(`${topic}.dead-letter`, 0, 0, 10);
    assert.equal(letters.length, 3);
    for (const { headers } of letters) {
      assert.match(headers["dead_letter_reason"] ?? "", /^[A-Z_]+: ./);
    }
  });
}
