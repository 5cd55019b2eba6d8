import { count, seconds, when } from "../output/numbers.ts";
import { padded, type Palette } from "../output/style.ts";
import type { SpanNode, Trace } from "./read.ts";

const siblingsMax = 6;
/** Characters of a name and of a bar; with time and process they fit 80. */
const nameWidth = 44;
const barWidth = 11;
/** Characters of a linked trace's name; with its time and id they fit 80. */
const linkedWidth = 22;

/** A trace as a tree, and a line for each of those that led to it. */
export function tracesText(own: Trace, linked: readonly Trace[], palette: Palette): string {
  const tree = traceTree(own.roots, palette);
  if (linked.length === 0) return tree;
  const lines = linked.flatMap(({ traceId, roots }) => {
    const [root] = roots;
    if (root === undefined) return [];
    const began = when(BigInt(Math.round(root.startUs / 1_000)));
    return [`${padded(shortened(root), linkedWidth)} ${began}  ${palette.faint(traceId)}`];
  });
  const head = `led to by ${count(linked.length)} other ${linked.length === 1 ? "trace" : "traces"} (heddle trace ID shows one):`;
  return [tree, "", palette.faint(head), ...lines].join("\n");
}

/** A trace as a tree with times: when each span ran within the whole, how long, in which process. */
function traceTree(roots: readonly SpanNode[], palette: Palette): string {
  const from = Math.min(...roots.map(earliest));
  const to = Math.max(...roots.map(latest));
  const lines: string[] = [];
  const walk = (nodes: readonly SpanNode[], indent: string): void => {
    for (const group of grouped(nodes)) {
      lines.push(lineOf(group, indent, from, to, palette));
      if (group.length === 1) walk(group[0]?.children ?? [], `${indent}  `);
    }
  };
  walk(roots, "");
  return lines.join("\n");
}

/**
 * More than a few siblings of one name become one line: a thousand pulls say less than their sum. So do the calls of one port below one span,
 * however few they are.
 */
function grouped(nodes: readonly SpanNode[]): SpanNode[][] {
  const groupOf = (node: SpanNode): string => portOf(node) ?? node.name;
  const byGroup = Map.groupBy(nodes, groupOf);
  const groups: SpanNode[][] = [];
  for (const node of nodes) {
    const all = byGroup.get(groupOf(node)) ?? [];
    if (all.length <= siblingsMax && portOf(node) === undefined) groups.push([node]);
    else if (all[0] === node) groups.push(all);
  }
  return groups;
}

const ports = [
  ["db.system.name", "documents"],
  ["heddle.objects", "objects"],
  ["messaging.system", "events"],
] as const;

/** `documents in lmdb`; undefined of what is no call of a port, and of one that has something below it. */
function portOf({ attributes, children }: SpanNode): string | undefined {
  if (children.length > 0) return undefined;
  for (const [attribute, what] of ports) {
    const system = attributes[attribute];
    if (typeof system === "string") return `${what} in ${system}`;
  }
  return undefined;
}

function lineOf(
  group: readonly SpanNode[],
  indent: string,
  from: number,
  to: number,
  palette: Palette,
): string {
  const [first] = group;
  if (first === undefined) return "";
  const start = Math.min(...group.map((node) => node.startUs));
  const end = Math.max(...group.map((node) => node.endUs));
  const busyS = group.reduce((sum, node) => sum + node.endUs - node.startUs, 0) / 1e6;
  const name = `${indent}${portOf(first) ?? shortened(first)}${group.length > 1 ? ` ×${group.length}` : ""}`;
  const failed = group.find((node) => node.error !== undefined)?.error;
  return [
    padded(name.length > nameWidth ? `${name.slice(0, nameWidth - 1)}…` : name, nameWidth),
    palette.faint(bar(start, end, from, to)),
    seconds(busyS).padStart(9),
    palette.faint(first.service),
    ...(failed === undefined ? [] : [palette.bad(`✗ ${failed.slice(0, 60)}`)]),
  ].join(" ");
}

/** `heddle.registry.v1.RegistryService/GetRun` → `Registry/GetRun`; a step is called by its own name. */
const shortened = ({ name, attributes }: SpanNode): string =>
  typeof attributes["step"] === "string" && name.startsWith("step ")
    ? `step ${attributes["step"]}`
    : name.replace(/^heddle\.\w+\.v1\.(\w+)Service\//, "$1/");

function bar(start: number, end: number, from: number, to: number): string {
  const scale = barWidth / Math.max(1, to - from);
  const left = Math.min(barWidth - 1, Math.floor((start - from) * scale));
  const length = Math.max(1, Math.round((end - start) * scale));
  return `${" ".repeat(left)}${"▬".repeat(Math.min(length, barWidth - left))}`.padEnd(barWidth);
}

/** Clocks of machines differ: a span may seem to begin before the one that it is part of. */
function earliest(node: SpanNode): number {
  return node.children.reduce((min, child) => Math.min(min, earliest(child)), node.startUs);
}

function latest(node: SpanNode): number {
  return node.children.reduce((max, child) => Math.max(max, latest(child)), node.endUs);
}
