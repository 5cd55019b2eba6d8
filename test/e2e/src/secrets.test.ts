import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { temporaryFolder } from "@heddle/testkit";
import { assertKept, secret, toldByHost } from "./fixtures/told.ts";

test("a host whose servers are all absent names each of them and shows no password", async () => {
  using folder = temporaryFolder("secrets");
  const passwordFile = folder.file("password");
  writeFileSync(passwordFile, `${secret}\n`);
  // Nobody listens on port 1.
  const environment = {
    HEDDLE_STORE_URL: `mongodb://heddle:${encodeURIComponent(secret)}@127.0.0.1:1/shop?replicaSet=rs`,
    HEDDLE_LOG_URL: "kafka://127.0.0.1:1/?replicas=1&minInSyncReplicas=1",
    ...{ HEDDLE_LOG_USER: "heddle", HEDDLE_LOG_PASSWORD_FILE: passwordFile },
    HEDDLE_OBJECTS_URL: `s3://shop/x?endpoint=http://127.0.0.1:1&cache=${folder.file("copies")}`,
    ...{ AWS_ACCESS_KEY_ID: "heddle", AWS_SECRET_ACCESS_KEY: secret },
  };
  const told = await toldByHost(folder, environment, { short: true });
  assertKept(told, [
    /document store: STORE_UNAVAILABLE: the document store 127\.0\.0\.1:1\/shop/,
    /event log: LOG_UNAVAILABLE: Kafka 127\.0\.0\.1:1 cannot be reached/,
    /object store: OBJECTS_UNAVAILABLE: .*bucket shop, under x\/, on http:\/\/127\.0\.0\.1:1/,
  ]);
});
