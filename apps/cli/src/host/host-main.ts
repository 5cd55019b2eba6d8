// A host for as long as the command that started it lives: argument 2 is the state folder.
import { HeddleError, messageOf } from "@heddle/base";
import { exitWithParent } from "@heddle/jobs";
import type { HostMessage } from "./connect.ts";
import { systemError } from "../system-error.ts";
import { runHost } from "./run.ts";

exitWithParent();
const say = (message: HostMessage): void => {
  process.send?.(message);
};
try {
  await runHost(process.argv[2] ?? ".heddle", (addresses) => say({ kind: "ready", addresses }));
  process.exit(0);
} catch (error) {
  const expected = error instanceof HeddleError ? error : systemError(error, process.argv[2]);
  const { code, reason, message } = expected ?? {
    ...{ code: "INTERNAL", reason: "HOST_FAILED", message: messageOf(error) },
  };
  process.stderr.write(`${error instanceof Error ? (error.stack ?? "") : String(error)}\n`);
  say({ kind: "failed", code, reason, message });
  process.exitCode = 1;
}
