import { buildCommand } from "@stricli/core";
import { countsTo, positive } from "../audit/flags.ts";
import { type Context, hostFlags, type HostFlags, oneArgument } from "../context.ts";

interface Flags extends HostFlags {
  readonly inFlight: readonly number[];
  readonly tolerance: number;
  readonly seed: number;
}

/** More than a definition may ask for. */
const inFlightMax = 48;

export const speedAudit = buildCommand({
  docs: {
    brief:
      "Train with more and fewer updates in flight, and say whether a model is trained too fast",
    fullDescription:
      "Trains MODEL's newest dataset from nothing several times in this process, compares the last fifth of it,\nheld out, with paired intervals, and prints what overlap costs. The same seed says the same.",
  },
  parameters: {
    flags: {
      ...hostFlags,
      inFlight: {
        kind: "parsed",
        parse: countsTo(inFlightMax),
        brief: "Updates in flight to try, beside 1 and the model's own",
        default: "1,2,4,8",
      },
      tolerance: {
        kind: "parsed",
        parse: positive,
        brief: "How much worse counts as worse, of log loss and of AUC",
        default: "0.002",
      },
      seed: { kind: "parsed", parse: Number, brief: "Seed of the delays", default: "1" },
    },
    positional: oneArgument("model", "Model"),
  },
  async func(this: Context, flags: Flags, model: string) {
    const { runSpeedAudit } = await import("../audit/speed/run.ts");
    const { speedAuditText } = await import("../audit/speed/text.ts");
    const say = (line: string): void => void this.process.stderr.write(`${line}\n`);
    const audit = await this.withHost(flags.state, (clients) =>
      runSpeedAudit(clients, model, flags, say),
    );
    this.print(flags, audit, () => speedAuditText(audit));
  },
});
