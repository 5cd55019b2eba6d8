import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "@heddle/base";
import { ingestTopicOf } from "@heddle/eventlog";
import { sample } from "@heddle/testkit";
import { append, clickEvents, clicks, untilCut, view, windows } from "../fixtures/clicks.ts";
import { openWorld } from "../fixtures/world.ts";

const seed = Number(process.env["HEDDLE_SEED"] ?? 30);
const event = JSON.parse(clickEvents(1)[0] ?? "{}") as Record<string, unknown>;
const good = clickEvents(40).slice(10, 13);

/** What anyone may append to a topic: each is to be left out alone, whatever the window's other records are. */
const garbage: readonly (readonly [what: string, value: string | Uint8Array])[] = [
  ["nothing", ""],
  ["a text of JSON", '"x"'],
  ["an array", "[]"],
  ["the largest record", `{"id": 1, "item": "${"x".repeat((1 << 20) - 200)}`],
  ["deep nesting", "[".repeat(500_000)],
  ["a deep value in a column", `{"id": ${"[".repeat(100_000)}${"]".repeat(100_000)}}`],
  ["deep objects in a column", `{"item": ${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}}`],
  ["a prototype", '{"__proto__": {"id": 1}}'],
  ["a column that all objects have", '{"constructor": 1}'],
  ["a number beyond all", JSON.stringify(event).replace(/"price":[^,}]+/, '"price":1e999')],
  ["a number that is none", JSON.stringify(event).replace(/"price":[^,}]+/, '"price":NaN')],
  ["an id beyond 64 bits", JSON.stringify(event).replace(/"id":\d+/, '"id":99999999999999999999')],
  ["an event of another kind", '{"specversion": "9.0", "data": {}}'],
  ...Array.from({ length: 30 }, (_, n) => {
    const random = seededRandom(seed).split(`bytes ${n}`);
    const bytes = Uint8Array.from({ length: 1 + random.below(200) }, () => random.below(256));
    return [`random bytes ${n} of seed ${seed}`, bytes] as const;
  }),
];

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
