/** Composition root of a shard: started by the scheduler, serves its learner until it is stopped. */
import { once } from "node:events";
import { parseStrict } from "@heddle/config";
import { makeAttempt } from "@heddle/jobclient";
import { runJob, usageOfProcess } from "@heddle/jobs";
import { ShardInput } from "./shard-input.ts";
import { startShard } from "./start.ts";

await runJob(async (given, stopped) => {
  const input = parseStrict(ShardInput, given, "input of a shard job", "JOB_INPUT_INVALID");
  const { tableRowsMax, life, lane } = input;
  const as = { service: "parameter-server", span: "shard", environment: process.env, stopped };
  await makeAttempt(input, as, async ({ telemetry, objects, scheduler, signal }) => {
    const usage = usageOfProcess;
    await using shard = await startShard({ objects, telemetry, usage, tableRowsMax, life, lane });
    await scheduler.setAddress(shard.address);
    if (!signal.aborted) await once(signal, "abort");
    scheduler.fenced.throwIfAborted();
  });
});
