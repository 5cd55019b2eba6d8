import { randomUUID } from "node:crypto";
import { buildCommand } from "@stricli/core";
import { shortName } from "@heddle/base";
import { type Context, hostFlags, type HostFlags, oneArgument } from "../context.ts";

interface Flags extends HostFlags {
  readonly to?: string;
  readonly reason: string;
  readonly fleet: string;
}

const timeoutMs = 120_000;

export const rollback = buildCommand({
  docs: {
    brief: "Return a model to the version that served before; needs no training",
    fullDescription:
      "Loads the earlier version, proves what is in the model server's memory, then moves traffic.\nThe version it replaces stays registered and can be returned to in the same way with --to.",
  },
  parameters: {
    flags: {
      ...hostFlags,
      to: {
        kind: "parsed",
        parse: String,
        brief: "Version to return to; the one before when absent",
        optional: true,
      },
      reason: {
        kind: "parsed",
        parse: String,
        brief: "Why; kept in the history",
        default: "rolled back by hand",
      },
      fleet: { kind: "parsed", parse: String, brief: "Fleet of model servers", default: "main" },
    },
    positional: oneArgument("model", "Model"),
  },
  async func(this: Context, flags: Flags, model: string) {
    const { fleet: name, reason, to = "" } = flags;
    const answer = await this.withHost(flags.state, (clients) =>
      clients.sync.rollback(
        { requestId: randomUUID(), fleet: name, model, version: to, reason },
        { timeoutMs },
      ),
    );
    this.print(flags, answer, () => {
      const serving = answer.fleet?.servings.find((entry) => entry.model === model);
      return [
        `${model} on ${name}: ${shortName(answer.fromVersion)} → ${shortName(serving?.version ?? "")}`,
        `memory digest ${shortName(serving?.reportedDigest ?? "")} verified, golden outputs within ${serving?.goldenError ?? 0}`,
        `undo with:  heddle rollback ${model} --to ${shortName(answer.fromVersion)}`,
      ].join("\n");
    });
  },
});
