import { buildCommand } from "@stricli/core";
import { type Context, hostFlags, type HostFlags, oneArgument } from "../context.ts";

const timeoutMs = 30_000;

export const origin = buildCommand({
  docs: {
    brief: "Say what a version came from: run, snapshot, dataset, segments, offsets of the log",
    fullDescription: [
      'VERSION is a version as an answer names it (a unique prefix will do); a pipeline run as "heddle runs"',
      "lists it; or a model, whose live version is meant. What the version that it started from had learnt is",
      "that version's origin.",
    ].join("\n"),
  },
  parameters: {
    flags: hostFlags,
    positional: oneArgument("version", "Version, pipeline run or model"),
  },
  async func(this: Context, flags: HostFlags, asked: string) {
    const { meantVersion } = await import("../lineage/meant-version.ts");
    const { originText } = await import("../lineage/origin-text.ts");
    const found = await this.withHost(flags.state, async (clients) =>
      clients.registry.getOrigin({ version: await meantVersion(clients, asked) }, { timeoutMs }),
    );
    this.print(flags, found, () => originText(found));
  },
});
