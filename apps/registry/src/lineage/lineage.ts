import { HeddleError } from "@heddle/base";
import type { Described, Describe } from "./lineage-nodes.ts";
import type { Edge, Edges } from "./edges.ts";

interface LineageNode {
  /** `kind:name`. */
  readonly id: string;
  readonly kind: string;
  readonly label: string;
  readonly facts: Readonly<Record<string, string>>;
}

export interface Graph {
  /** The asked one first, then by distance. */
  readonly nodes: readonly LineageNode[];
  readonly edges: readonly Edge[];
}

export interface LineageDeps {
  readonly edges: Edges;
  readonly describe: Describe;
  readonly nodesMax: number;
}

/**
 * The graph around a node: everything it came from, and everything that came of it, but not its
 * origins' other results. At most `nodesMax` nodes, the nearest first.
 *
 * @throws {HeddleError} NOT_FOUND UNKNOWN_NODE.
 */
export async function lineageOf(id: string, deps: LineageDeps): Promise<Graph> {
  const nodes = new Map<string, LineageNode>();
  const edges = new Map<string, Edge>();
  const seen = new Map<string, Described>();
  const describe = async (node: string): Promise<Described | undefined> => {
    const known = seen.get(node) ?? (await deps.describe(node));
    if (known !== undefined) seen.set(node, known);
    return known;
  };

  const walk = async (
    neighbours: (node: string) => Promise<readonly Edge[]>,
    ahead: "from" | "to",
  ) => {
    const queue = [id];
    for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
      for (const edge of await neighbours(node)) {
        const next = edge[ahead];
        if (!nodes.has(next)) {
          const described = await describe(next);
          if (described === undefined || nodes.size >= deps.nodesMax) continue;
          nodes.set(next, nodeOf(next, described));
          queue.push(next);
        }
        edges.set(`${edge.from}|${edge.to}`, edge);
      }
    }
  };

  const asked = await describe(id);
  if (asked === undefined) throw unknown(id);
  nodes.set(id, nodeOf(id, asked));
  await walk(async (node) => {
    return [...(await deps.edges.origins(node)), ...((await describe(node))?.origins ?? [])];
  }, "to");
  await walk(async (node) => {
    return [...(await deps.edges.results(node)), ...((await describe(node))?.results ?? [])];
  }, "from");
  return { nodes: [...nodes.values()], edges: [...edges.values()] };
}

export function unknown(node: string): HeddleError {
  return new HeddleError(
    "NOT_FOUND",
    "UNKNOWN_NODE",
    `there is no ${node}: name a version, run, configuration or dataset by its first digits, or source:NAME or view:NAME@N`,
    { metadata: { node } },
  );
}

function nodeOf(id: string, { label, facts }: Described): LineageNode {
  return { id, kind: id.slice(0, id.indexOf(":")), label, facts };
}
