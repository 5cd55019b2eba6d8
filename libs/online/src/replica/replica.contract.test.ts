import { join } from "node:path";
import { after } from "node:test";
import { temporaryFolder } from "@heddle/testkit";
import { onlineContract } from "../contract.ts";
import { openTestLog, openTestReplica } from "./fixtures/replicas.ts";

const folder = temporaryFolder("online-replica");
after(() => folder[Symbol.dispose]());

onlineContract("replica", async (place) => {
  const log = openTestLog(folder.file(place));
  const replica = openTestReplica(log, join(folder.file(place), "replica"));
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await replica[Symbol.asyncDispose]();
    await log[Symbol.asyncDispose]();
  };
  return { ...replica, [Symbol.asyncDispose]: () => (closed ??= close()) };
});
