import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type HeddleError, systemClock } from "@heddle/base";
import { Secret } from "@heddle/config";
import { kafkaForTests, startKafka } from "@heddle/servers";
import { temporaryFolder } from "@heddle/testkit";
import type { EventLog } from "../port.ts";
import { setPassword } from "./fixtures/set-password.ts";
import { openKafkaLog } from "./kafka-log.ts";

// A Kafka of its own, whose users come, change and go.
const { running, skip: none } = await kafkaForTests();
const skip = running === undefined ? none || "needs a Kafka of ours" : false;
const folder = temporaryFolder("kafka-users");
after(() => folder[Symbol.dispose]());
const record = (key: string) => ({ key, value: new Uint8Array(1), headers: {} });

test(
  "a password that changes, and a user who is removed, while a log is open: told with the remedy, nothing lost, no restart",
  { skip, timeout: 180_000 },
  async () => {
    const supers = { "super.users": "User:ANONYMOUS;User:ada" };
    await using kafka = await startKafka(folder.path, supers);
    let password = "first-secret";
    await setPassword(kafka.url, "ada", password);
    await using log = openKafkaLog({
      url: `${kafka.strangerUrl}/?replicas=1&minInSyncReplicas=1&partitions=1`,
      user: { mechanism: "SCRAM-SHA-512", name: "ada", password: () => new Secret(password) },
      ...{ clock: systemClock, random: Math.random, appendWithinMs: 5_000 },
    });
    const acknowledged: string[] = [];
    const append = async (): Promise<void> => {
      const key = `k${acknowledged.length}`;
      await log.append("t", [record(key)]);
      acknowledged.push(key);
    };
    /** Connections outlive a change until the broker asks again who it is: after 2 s here. */
    const untilRefused = async (): Promise<void> => {
      for (let failures = 0; failures < 4;) {
        const error = await append().then(
          () => undefined,
          (thrown: unknown) => thrown as HeddleError,
        );
        if (error === undefined) continue;
        failures += 1;
        assert.doesNotMatch(`${error.message} ${JSON.stringify(error.cause)}`, /-secret/);
        if (error.reason === "LOG_FORBIDDEN") {
          const port = new URL(kafka.strangerUrl).port;
          assert.match(error.message, new RegExp(`topic t at Kafka 127.0.0.1:${port} .*password`));
          return;
        }
        // A connection that is closed under a send is said first.
        assert.equal(error.code, "UNAVAILABLE", error.message);
      }
      assert.fail("the refusal was not told");
    };
    /** A broker takes a password a moment after its controller does. */
    const untilTaken = async (): Promise<void> => {
      for (let taken = false; !taken;) {
        taken = await append().then(
          () => true,
          (error: unknown) => {
            assert.match((error as HeddleError).reason, /^LOG_(FORBIDDEN|UNAVAILABLE)$/);
            return false;
          },
        );
      }
    };
    await untilTaken();

    await setPassword(kafka.url, "ada", "second-secret");
    await untilRefused();
    password = "second-secret";
    await untilTaken();

    await setPassword(kafka.url, "ada", undefined);
    await untilRefused();
    await setPassword(kafka.url, "ada", password);
    await untilTaken();
    // What was told as unknown may be there and was appended again: consumers know it.
    assert.deepEqual([...new Set(await keysOf(log))], acknowledged);
  },
);

async function keysOf(log: EventLog): Promise<readonly string[]> {
  const keys: string[] = [];
  for (let offset = 0; ;) {
    const records = await log.read("t", 0, offset, 1_000);
    const last = records.at(-1);
    if (last === undefined) return keys;
    keys.push(...records.map(({ key }) => key));
    offset = last.offset + 1;
  }
}
