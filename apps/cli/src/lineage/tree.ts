import type { LineageEdge, LineageNode, LineageResponse } from "@heddle/proto/registry";
import type { Palette } from "../output/style.ts";

/** Facts worth a place in the tree, by kind of node; --json has all of them. */
const factsShown: Readonly<Record<string, readonly string[]>> = {
  version: ["verdict", "examples"],
  configuration: ["architecture", "owner"],
  dataset: ["rows", "positives"],
  source: ["owner"],
  view: ["reason"],
  segment: ["from", "offsets"],
};
/** More leaves of one kind than this under one node are one line: fifty segments say less than their number. */
const leavesMax = 4;

/** The lineage graph as a tree from the asked node; a node met again is named, not repeated. */
export function lineageTree(graph: LineageResponse, palette: Palette): string {
  const root = graph.nodes[0];
  if (root === undefined) return "nothing is known of it";
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const madeFrom = links(nodes, graph.edges, (edge) => [edge.from, edge.to, edge.relation]);
  const cameOf = links(nodes, graph.edges, (edge) => [edge.to, edge.from, `${edge.relation} it:`]);
  const lines = [head(root, palette), ...branches(root.id, madeFrom, palette)];
  if (cameOf.has(root.id)) {
    lines.push("", palette.faint("what came of it:"), head(root, palette));
    lines.push(...branches(root.id, cameOf, palette));
  }
  return lines.join("\n");
}

interface Link {
  readonly relation: string;
  readonly node: LineageNode;
}
type Links = ReadonlyMap<string, readonly Link[]>;

function links(
  nodes: ReadonlyMap<string, LineageNode>,
  edges: readonly LineageEdge[],
  direct: (edge: LineageEdge) => readonly [string, string, string],
): Links {
  const found = new Map<string, Link[]>();
  for (const edge of edges) {
    const [start, end, relation] = direct(edge);
    const node = nodes.get(end);
    if (node !== undefined) found.set(start, [...(found.get(start) ?? []), { relation, node }]);
  }
  return found;
}

function branches(
  id: string,
  all: Links,
  palette: Palette,
  indent = "",
  seen = new Set<string>([id]),
): string[] {
  const entries = collapsed(all.get(id) ?? [], all);
  return entries.flatMap((entry, i) => {
    const last = i === entries.length - 1;
    const stem = `${indent}${last ? "└─" : "├─"} `;
    if (typeof entry === "string") return [`${stem}${palette.faint(entry)}`];
    const { relation, node } = entry;
    const again = seen.has(node.id);
    seen.add(node.id);
    const line = `${stem}${palette.faint(relation)} ${head(node, palette, again)}`;
    const hasMore = (all.get(node.id) ?? []).length > 0;
    if (again) return [`${line}${hasMore ? palette.faint(" (above)") : ""}`];
    return [line, ...branches(node.id, all, palette, `${indent}${last ? "   " : "│  "}`, seen)];
  });
}

/** The links, with many leaves of one kind as one line of words. */
function collapsed(of: readonly Link[], all: Links): (Link | string)[] {
  const isLeaf = ({ node }: Link): boolean => !all.has(node.id);
  const leaves = Map.groupBy(of.filter(isLeaf), ({ node }) => node.kind);
  const many = [...leaves].filter(([, group]) => group.length > leavesMax);
  const hidden = new Set(many.flatMap(([, group]) => group));
  const words = many.map(([kind, group]) => `${group[0]?.relation ?? ""} ${group.length} ${kind}s`);
  return [...of.filter((link) => !hidden.has(link)), ...words];
}

function head(node: LineageNode, palette: Palette, short = false): string {
  const name = node.label.startsWith(`${node.kind} `)
    ? node.label.slice(node.kind.length + 1)
    : node.label;
  const facts = (short ? [] : (factsShown[node.kind] ?? [])).flatMap((fact) =>
    node.facts[fact] === undefined ? [] : [`${fact} ${node.facts[fact]}`],
  );
  const shown = facts.length === 0 ? "" : palette.faint(`  ${facts.join(", ")}`);
  return `${node.kind} ${palette.strong(name)}${shown}`;
}
