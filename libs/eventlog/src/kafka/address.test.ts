import assert from "node:assert/strict";
import { test } from "node:test";
import { parseKafkaUrl } from "./address.ts";

test("a URL names brokers, a prefix and how topics are made", () => {
  assert.deepEqual(parseKafkaUrl("kafka://a:9092,b:9093/shop.?partitions=12&retentionHours=24"), {
    brokers: ["a:9092", "b:9093"],
    prefix: "shop.",
    tls: false,
    topics: { partitions: 12, replicas: 3, minInSyncReplicas: 2, retentionMs: 86_400_000 },
  });
  assert.deepEqual(parseKafkaUrl("kafka://a:9092").topics, {
    ...{ partitions: 4, replicas: 3, minInSyncReplicas: 2, retentionMs: 604_800_000 },
  });
  assert.equal(parseKafkaUrl("kafka://a:9092?retentionBytes=2000").topics.retentionBytes, 2_000);
  assert.equal(parseKafkaUrl("kafka://a:9092?tls=true").tls, true);
});

test("a URL that is none is refused with its reason, and a password in it is not repeated", () => {
  for (const [url, problem] of [
    ["kafka://a", /host:port/],
    ["http://a:9092", /host:port/],
    ["kafka://me:secret@a:9092", /without user or password/],
    ["kafka://a:9092?partition=1", /no setting partition; there are partitions/],
    ["kafka://a:9092?partitions=none", /partitions is a whole number from 1 on, not none/],
    ["kafka://a:9092?retentionBytes=2GB", /retentionBytes is a whole number from 1 on, not 2GB/],
    ["kafka://a:9092?tls=yes", /tls is true or false, not yes/],
    ["kafka://a:9092?replicas=1", /minInSyncReplicas is at most replicas/],
  ] as const) {
    assert.throws(
      () => parseKafkaUrl(url),
      (error: Error & { reason?: string }) => {
        assert.equal(error.reason, "LOG_URL_INVALID");
        assert.match(error.message, problem);
        assert.doesNotMatch(error.message, /secret/);
        return true;
      },
    );
  }
});
