// `node tools/healthy.ts HOST:PORT`: exits 0 when the service there says SERVING, else 1 with the reason. For containers' health checks.
import { HeddleError, messageOf } from "@heddle/base";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@heddle/proto/health";
import { connect } from "@heddle/rpc";
import { silentTelemetry } from "@heddle/telemetry";

const [address = ""] = process.argv.slice(2);
await using health = connect(Health, address, { telemetry: silentTelemetry(), actor: "healthy" });
try {
  const { status } = await health.check({}, { timeoutMs: 3_000 });
  if (status !== Status.SERVING) {
    throw new HeddleError("UNAVAILABLE", "NOT_SERVING", `${address} says ${Status[status]}`);
  }
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}
