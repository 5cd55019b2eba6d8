import { silentTelemetry, startTelemetry, type Telemetry } from "@heddle/telemetry";

const spans = 20_000;

/** CPU of this process for one span with the attributes of a call, its export included, microseconds. */
export async function cpuOfSpanUs(folder: string): Promise<number> {
  const before = process.cpuUsage();
  {
    const place = { folder, logLevel: "silent" };
    await using telemetry = await startTelemetry({ service: "span-cost", ...place });
    await telemetry.span("all", {}, () => makeSpans(telemetry));
  }
  return perSpan(before);
}

/** The same of a port's look that finds nothing to trace, microseconds. */
export async function cpuOfLookUs(): Promise<number> {
  const telemetry = silentTelemetry();
  const before = process.cpuUsage();
  for (let n = 0; n < spans; n++) if (telemetry.recording()) await makeSpans(telemetry);
  return perSpan(before);
}

async function makeSpans(telemetry: Telemetry): Promise<void> {
  const attributes = { "rpc.system": "heddle-lane", "rpc.method": "bench/Push" };
  for (let n = 0; n < spans; n++) {
    await telemetry.span("bench/Push", { kind: "client", attributes }, () => Promise.resolve());
    // As calls do: others have their turn, and what is buffered goes out.
    if (n % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

function perSpan(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / spans;
}
