import type { LineageEdge, LineageNode, LineageResponse } from "@heddle/proto/registry";
import type { Palette } from "../output/style.ts";

/** The lineage graph as a tree from the asked node; a node met again is named, not repeated. */
export function lineageTree(graph: LineageResponse, palette: Palette): string {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const root = graph.nodes[0];
  if (root === undefined) return "nothing is known of it";
  const madeFrom = Map.groupBy(graph.edges, (edge) => edge.from);
  const cameOf = Map.groupBy(graph.edges, (edge) => edge.to);
  const lines = [head(root, palette)];
  branch(root.id, "from", madeFrom, (edge) => edge.to);
  if ((cameOf.get(root.id) ?? []).length > 0) {
    lines.push("", palette.faint("what came of it:"), head(root, palette));
    branch(root.id, "to", cameOf, (edge) => edge.from);
  }
  return lines.join("\n");

  function branch(
    id: string,
    direction: string,
    edges: ReadonlyMap<string, readonly LineageEdge[]>,
    next: (edge: LineageEdge) => string,
    indent = "",
    seen = new Set<string>([id]),
  ): void {
    const out = edges.get(id) ?? [];
    out.forEach((edge, i) => {
      const node = nodes.get(next(edge));
      if (node === undefined) return;
      const last = i === out.length - 1;
      const again = seen.has(node.id);
      const more = again && (edges.get(node.id) ?? []).length > 0 ? palette.faint(" (above)") : "";
      const relation = palette.faint(direction === "from" ? edge.relation : `${edge.relation} by`);
      lines.push(`${indent}${last ? "└─" : "├─"} ${relation} ${head(node, palette)}${more}`);
      if (again) return;
      seen.add(node.id);
      branch(node.id, direction, edges, next, `${indent}${last ? "   " : "│  "}`, seen);
    });
  }
}

function head(node: LineageNode, palette: Palette): string {
  const facts = Object.entries(node.facts)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
  return `${node.kind} ${palette.strong(node.label)}${facts === "" ? "" : palette.faint(`  ${facts}`)}`;
}
