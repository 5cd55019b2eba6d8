import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { systemClock } from "@heddle/base";
import { s3ForTests, startS3 } from "@heddle/servers";
import { temporaryFolder } from "@heddle/testkit";
import { checkObjects } from "../open.ts";
import { parseS3Location } from "./location.ts";
import { openS3Objects } from "./s3-objects.ts";

// A server with users of its own, who come, change and go while objects are open.
const { running, skip: none } = await s3ForTests();
const skip = running === undefined ? none || "needs a server of our own" : false;
const folder = temporaryFolder("credentials");
after(() => folder[Symbol.dispose]());
const bytes = Buffer.from("bytes");
const bucket = "heddle-users";
const credentialsFile = folder.file("credentials");

before(() => {
  for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) {
    Reflect.deleteProperty(process.env, name);
  }
  process.env["AWS_SHARED_CREDENTIALS_FILE"] = credentialsFile;
});

/** What whoever runs Heddle does when keys were renewed. */
function useKeys(user: string, secret: string): void {
  const lines = `aws_access_key_id=${user}\naws_secret_access_key=${secret}\n`;
  writeFileSync(credentialsFile, `[default]\n${lines}`, { mode: 0o600 });
}

const openAt = (endpoint: string, place: string) =>
  openS3Objects({
    location: parseS3Location(
      `s3://${bucket}/${place}?endpoint=${endpoint}&cache=${folder.file(`copies-${place}`)}`,
    ),
    clock: systemClock,
  });

test(
  "keys that are changed, and a user who is removed, while objects are written: told with the remedy, nothing lost, no restart",
  { skip },
  async () => {
    await using server = await startS3(folder.file("server"), { users: true });
    const { admin, url } = server;
    await admin("create-user", "-a", "ada", "-s", "first-secret", "-r", "user");
    await admin("create-bucket", "--owner", "ada", "--bucket", bucket);
    useKeys("ada", "first-secret");
    const objects = openAt(url, "expiring");
    const acknowledged: string[] = [];
    const put = async (): Promise<void> => {
      const name = `object-${acknowledged.length}`;
      await objects.put(name, Buffer.from(name));
      acknowledged.push(name);
    };
    const refused = (act: Promise<unknown>) =>
      assert.rejects(act, (error: Error & { code?: string; reason?: string }) => {
        assert.deepEqual([error.code, error.reason], ["UNAUTHENTICATED", "OBJECTS_CREDENTIALS"]);
        assert.match(
          error.message,
          /bucket heddle-users, under expiring\/, on http:.*: renew those/,
        );
        assert.doesNotMatch(`${error.message} ${String(error.cause)}`, /secret/);
        return true;
      });
    await put();

    // As a rotation does it: the old secret ends, the new one comes later.
    await admin("update-user", "-a", "ada", "-s", "second-secret");
    await refused(put());
    await refused(objects.get("object-0"));
    await refused(checkObjects(objects));
    useKeys("ada", "second-secret");
    await put();
    await checkObjects(objects);

    await admin("delete-user", "-a", "ada");
    await refused(put());
    await admin("create-user", "-a", "bea", "-s", "third-secret", "-r", "user");
    await admin("change-bucket-owner", "-b", bucket, "-o", "bea");
    useKeys("bea", "third-secret");
    await put();
    assert.equal(acknowledged.length, 3);
    for (const name of acknowledged) {
      assert.equal(Buffer.from(await objects.get(name)).toString(), name);
    }
  },
);

test("a user without rights to the bucket is told so, and how to get them", { skip }, async () => {
  await using server = await startS3(folder.file("rights"), { users: true });
  const { admin, url } = server;
  for (const user of ["ada", "eve"]) {
    await admin("create-user", "-a", user, "-s", `${user}-secret`, "-r", "user");
  }
  await admin("create-bucket", "--owner", "ada", "--bucket", bucket);
  useKeys("eve", "eve-secret");
  const objects = openAt(url, "rights");
  for (const act of [
    () => objects.put("a", bytes),
    () => objects.get("a"),
    () => objects.list(""),
    () => checkObjects(objects),
  ]) {
    await assert.rejects(act(), {
      code: "PERMISSION_DENIED",
      reason: "OBJECTS_DENIED",
      message: /may not do this in bucket heddle-users, .* on http:.*policy lacks an action/,
    });
  }
  await admin("change-bucket-owner", "-b", bucket, "-o", "eve");
  await objects.put("a", bytes);
  rmSync(credentialsFile);
});
