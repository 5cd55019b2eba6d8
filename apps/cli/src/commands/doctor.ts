import { buildCommand } from "@stricli/core";
import { type Context, hostFlags, type HostFlags } from "../context.ts";
import { exitCodes } from "../exit-codes.ts";
import { wrapped } from "../output/wrapped.ts";

export const doctor = buildCommand({
  docs: { brief: "Say what is installed, what works here, and how to mend what does not" },
  parameters: { flags: hostFlags },
  async func(this: Context, flags: HostFlags) {
    const { examine } = await import("../doctor/examine.ts");
    const findings = await examine(flags.state);
    this.print(flags, { findings }, () =>
      findings
        .map(({ holds, what, found, remedy }) => {
          const mark = holds ? this.palette.good("✓ ok  ") : this.palette.bad("✗ mend");
          const lines = wrapped(`${what}: ${found}`.split(" "), 72);
          return `${mark}  ${[...lines, ...(holds ? [] : [remedy])].join("\n        ")}`;
        })
        .join("\n"),
    );
    if (findings.some(({ holds }) => !holds)) this.process.exitCode = exitCodes.failed;
  },
});
