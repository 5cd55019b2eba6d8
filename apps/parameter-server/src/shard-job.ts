/** Composition root of a shard: started by the scheduler, serves its learner until it is stopped. */
import { once } from "node:events";
import { parseStrict } from "@heddle/config";
import { openJobClient } from "@heddle/jobclient";
import { runJob, usageOfProcess } from "@heddle/jobs";
import { openTracedObjects } from "@heddle/objects";
import { startTelemetry, telemetryPlace } from "@heddle/telemetry";
import { ShardInput } from "./shard-input.ts";
import { startShard } from "./start.ts";

await runJob(async (given, stopped) => {
  const input = parseStrict(ShardInput, given, "input of a shard job", "JOB_INPUT_INVALID");
  const place = telemetryPlace(process.env);
  await using telemetry = await startTelemetry({ service: "parameter-server", ...place });
  const parent = input.traceparent === undefined ? {} : { parent: input.traceparent };
  await telemetry.span("shard", { ...parent, attributes: { job: input.job } }, async () => {
    const objects = await openTracedObjects(input.objects, telemetry);
    await using scheduler = openJobClient(input, telemetry);
    await using shard = await startShard({
      objects,
      telemetry,
      usage: usageOfProcess,
      tableRowsMax: input.tableRowsMax,
      life: input.life,
      lane: input.lane,
    });
    await scheduler.setAddress(shard.address);
    const ends = AbortSignal.any([stopped, scheduler.fenced]);
    if (!ends.aborted) await once(ends, "abort");
    if (scheduler.fenced.aborted) throw scheduler.fenced.reason;
  });
});
