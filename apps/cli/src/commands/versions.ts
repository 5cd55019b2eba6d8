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
    const { versions } = await this.withHost(flags.state, (clients) =>
      clients.registry.listVersions({ model, pageSize: 50 }, { timeoutMs }),
    );
    this.print(flags, { versions }, () =>
      table(
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
      ),
    );
  },
});
