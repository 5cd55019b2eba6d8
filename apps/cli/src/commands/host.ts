import { buildCommand } from "@stricli/core";
import { type Context, stateFlag } from "../context.ts";

export const host = buildCommand({
  docs: {
    brief: "Run all services on this machine until stopped (not for production)",
    fullDescription:
      "One process of all services, and a model server, on loopback ports. Other heddle commands on the\nsame state folder use it while it runs. Stop it with Ctrl-C.",
  },
  parameters: { flags: { state: stateFlag } },
  async func(this: Context, flags: { readonly state: string }) {
    const { runHost } = await import("../host/run.ts");
    await runHost(flags.state, (addresses) => {
      this.process.stderr.write(
        `heddle host on ${flags.state} (for development, not for production)\n`,
      );
      for (const [service, address] of Object.entries(addresses)) {
        this.process.stderr.write(`  ${service.padEnd(14)} ${address}\n`);
      }
    });
  },
});
