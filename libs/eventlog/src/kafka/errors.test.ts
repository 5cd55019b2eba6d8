import assert from "node:assert/strict";
import { test } from "node:test";
import { HeddleError } from "@heddle/base";
import { MultipleErrors, NetworkError, ProtocolError, UserError } from "@platformatic/kafka";
import { isMembershipLost, kafkaError } from "./errors.ts";

const place = { brokers: ["a:1", "b:2"], topic: "t" };
const within = (...errors: Error[]) => new MultipleErrors("failed", errors);

test("what the client throws has a code, a reason and a remedy, however deep it lies", () => {
  for (const [thrown, code, reason, text] of [
    [
      new NetworkError("refused"),
      "UNAVAILABLE",
      "LOG_UNAVAILABLE",
      /t at Kafka a:1, b:2 cannot be reached .*refused/,
    ],
    [
      within(new ProtocolError("NOT_ENOUGH_REPLICAS")),
      "UNAVAILABLE",
      "LOG_UNAVAILABLE",
      /too few replicas in sync: start/,
    ],
    [
      within(within(new ProtocolError("TOPIC_AUTHORIZATION_FAILED"))),
      "PERMISSION_DENIED",
      "LOG_FORBIDDEN",
      /grant/,
    ],
    [
      new ProtocolError("MESSAGE_TOO_LARGE"),
      "INVALID_ARGUMENT",
      "RECORD_TOO_LARGE",
      /raise the topic's max/,
    ],
    [
      new ProtocolError("INVALID_REPLICATION_FACTOR"),
      "FAILED_PRECONDITION",
      "TOPIC_UNSUITABLE",
      /brokers as replicas/,
    ],
    [
      new UserError("/options/messages must be array."),
      "INTERNAL",
      "LOG_CLIENT_MISUSED",
      /\/options\/messages/,
    ],
  ] as const) {
    const shown = kafkaError(thrown, place);
    assert.deepEqual([shown.code, shown.reason], [code, reason]);
    assert.match(shown.message, text);
    assert.equal(shown.cause, thrown);
  }
  const ours = new HeddleError("NOT_FOUND", "X", "x");
  assert.equal(kafkaError(ours, place), ours);
});

test("a member that its group left behind is told from a broker that is away", () => {
  assert.ok(isMembershipLost(within(new ProtocolError("ILLEGAL_GENERATION"))));
  assert.ok(!isMembershipLost(new NetworkError("refused")));
});
