import { isHeddleError } from "@heddle/base";
import type { Documents } from "@heddle/store";

/** `from` was made from `to`. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly relation: string;
}

/**
 * Edges of the lineage, kept in both directions. An edge is a fact that follows from immutable
 * things and is written before what it tells of is acknowledged, so it needs no audit and no event.
 */
export interface Edges {
  add(edges: readonly Edge[]): Promise<void>;
  /** What this node was made from. */
  origins(node: string): Promise<readonly Edge[]>;
  /** What was made from this node. */
  results(node: string): Promise<readonly Edge[]>;
  /** The one node something was made from whose id begins so. */
  find(idPrefix: string): Promise<string | undefined>;
}

/** A page: a node with more neighbours shows these, far more than an answer holds. */
const edgesOfNodeMax = 1_000;

const originKey = ({ from, to }: Edge): string => `${from}|${to}`;

export function openEdges(origins: Documents<Edge>, results: Documents<Edge>): Edges {
  const read = async (documents: Documents<Edge>, node: string): Promise<readonly Edge[]> => {
    const { items } = await documents.list({ prefix: `${node}|`, limit: edgesOfNodeMax });
    return items.map((item) => item.value);
  };
  return {
    add: async (edges) => {
      const nodes = [...new Set(edges.map(({ from }) => from))];
      const known = (await Promise.all(nodes.map((node) => read(origins, node)))).flat();
      const there = new Set(known.map(originKey));
      const missing = edges.filter((edge) => !there.has(originKey(edge)));
      const each = (add: (edge: Edge) => Promise<void>) => Promise.all(missing.map(add));
      // In this order, so that whoever finds an edge among the origins finds it from the other end, too, after a death between the two.
      await each((edge) => addOnce(results, `${edge.to}|${edge.from}`, edge));
      await each((edge) => addOnce(origins, originKey(edge), edge));
    },
    origins: (node) => read(origins, node),
    results: (node) => read(results, node),
    find: async (idPrefix) => {
      const { items } = await results.list({ prefix: idPrefix, limit: edgesOfNodeMax });
      const ids = new Set(items.map((item) => item.value.to));
      return ids.size === 1 ? [...ids][0] : undefined;
    },
  };
}

async function addOnce(documents: Documents<Edge>, key: string, edge: Edge): Promise<void> {
  try {
    await documents.put(key, edge, 0);
  } catch (error) {
    if (!isHeddleError(error, "REVISION_CONFLICT")) throw error;
  }
}
