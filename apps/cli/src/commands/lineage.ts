import { buildCommand } from "@stricli/core";
import { type Context, hostFlags, type HostFlags, oneArgument } from "../context.ts";

const timeoutMs = 30_000;

export const lineage = buildCommand({
  docs: {
    brief: "Walk from a version to its run, data, features, sources and authors, and back",
    fullDescription:
      'NODE is a version, run, configuration or dataset (a unique prefix will do), source:NAME, view:NAME@N; a\npipeline run as "heddle runs" lists it, whose version is meant; or a model, whose live version is meant. What\ncame of the node is shown below what it came from.',
  },
  parameters: {
    flags: hostFlags,
    positional: oneArgument("node", "What to explain"),
  },
  async func(this: Context, flags: HostFlags, node: string) {
    const { lineageTree } = await import("../lineage/tree.ts");
    const { meantVersion } = await import("../lineage/meant-version.ts");
    const graph = await this.withHost(flags.state, async (clients) =>
      clients.registry.lineage({ node: await meantVersion(clients, node) }, { timeoutMs }),
    );
    this.print(flags, graph, () => lineageTree(graph, this.palette));
  },
});
