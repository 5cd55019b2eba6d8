import { buildCommand } from "@stricli/core";
import { type Context, hostFlags, type HostFlags, oneArgument } from "../context.ts";
import { counted } from "../output/numbers.ts";

interface Flags extends HostFlags {
  readonly out?: string;
}

export const report = buildCommand({
  docs: {
    brief: "Write a pipeline's history as one self-contained page",
    fullDescription:
      "Weeks × metrics with intervals, verdicts, a picture of the lineage and where the time went, in\none HTML file without scripts or links to anywhere.",
  },
  parameters: {
    flags: {
      ...hostFlags,
      out: {
        kind: "parsed",
        parse: String,
        brief: "File to write; report.html in the state folder when absent",
        optional: true,
      },
    },
    positional: oneArgument("pipeline", "Pipeline"),
  },
  async func(this: Context, flags: Flags, pipeline: string) {
    const { writeReport } = await import("../report/write.ts");
    const file = flags.out ?? `${flags.state}/report.html`;
    const written = await this.withHost(flags.state, (clients) =>
      writeReport(clients, pipeline, file),
    );
    this.print(flags, { file, ...written }, () => `${file}: ${counted(written.runs, "run")}`);
  },
});
