import { buildCommand } from "@stricli/core";
import { shortName } from "@heddle/base";
import { type Context, hostFlags, type HostFlags, oneArgument } from "../context.ts";
import { count, when } from "../output/numbers.ts";
import { table } from "../output/table.ts";

const timeoutMs = 30_000;

export const versions = buildCommand({
  docs: { brief: "List the versions of a model, newest first, with verdict and stage" },
  parameters: {
    flags: hostFlags,
    positional: oneArgument("model", "Model"),
  },
  async func(this: Context, flags: HostFlags, model: string) {
    const { Stage } = await import("@heddle/proto/registry");
    const { versions } = await this.withHost(flags.state, async ({ registry }) => {
      const found = await registry.listVersions({ model, pageSize: 50 }, { timeoutMs });
      // It refuses a name that is no model's.
      if (found.versions.length === 0) await registry.whatWasLive({ model }, { timeoutMs });
      return found;
    });
    this.print(flags, { versions }, () => {
      if (versions.length === 0) return `model ${model} has no version yet; heddle train makes one`;
      return table(
        [
          { header: "version" },
          { header: "name" },
          { header: "stage" },
          { header: "verdict" },
          { header: "examples", align: "right" },
          { header: "registered" },
        ],
        versions.map((version) => [
          `v${version.number}`,
          shortName(version.version),
          (Stage[version.stage] ?? "").toLowerCase(),
          version.verdict,
          count(version.training?.examples ?? 0n),
          when(version.createdTimeMs),
        ]),
      );
    });
  },
});
