import { buildCommand } from "@stricli/core";
import { type Context, hostFlags, type HostFlags } from "../context.ts";
import { table } from "../output/table.ts";
import type { Applied } from "../project/apply.ts";

export const apply = buildCommand({
  docs: {
    brief: "Register the definitions of a project: sources, feature views, models, pipelines",
    fullDescription:
      "Loads heddle.ts (or heddle.mjs) of the folder and registers what it exports. Applying the same\ndefinitions again changes nothing; an applied version of a feature view never changes.",
  },
  parameters: {
    flags: hostFlags,
    positional: {
      kind: "tuple",
      parameters: [
        {
          brief: "Definition file, or the folder that has it",
          placeholder: "place",
          parse: String,
          default: ".",
        },
      ],
    },
  },
  async func(this: Context, flags: HostFlags, place: string) {
    const { loadProject } = await import("../project/load.ts");
    const { applyDefinitions } = await import("../project/apply.ts");
    const definitions = await loadProject(place);
    const applied = await this.withHost(flags.state, (clients) =>
      applyDefinitions(clients, definitions),
    );
    this.print(flags, { applied }, () =>
      [
        table(
          [{ header: "kind" }, { header: "name" }, { header: "" }],
          applied.map(({ kind, name, created }) => [kind, name, created ? "applied" : "unchanged"]),
        ),
        ...applied.flatMap(({ name, runs }) => (runs === undefined ? [] : [runsText(name, runs)])),
      ].join("\n"),
    );
  },
});

function runsText(name: string, runs: NonNullable<Applied["runs"]>): string {
  const { description, fallbackReason } = runs;
  return fallbackReason === undefined
    ? `model ${name} trains as ${description}`
    : `model ${name} trains as ${description}, because ${fallbackReason}`;
}
