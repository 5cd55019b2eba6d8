import type { LineageNode, LineageResponse } from "@heddle/proto/registry";
import { html, type Markup } from "./html.ts";

/** Left to right: people and data on the left, what serves on the right. */
const columns: readonly (readonly string[])[] = [
  ["author", "source"],
  ["view", "configuration"],
  ["dataset"],
  ["run"],
  ["version"],
  ["served"],
];
const box = { width: 168, height: 40, gapX: 32, gapY: 12 };
const perColumnMax = 10;

/** A picture of where a version came from. Segments are left out: there is one per file. */
export function lineagePicture(graph: LineageResponse, title: string): Markup {
  const placed = new Map<
    string,
    { readonly node: LineageNode; readonly x: number; readonly y: number }
  >();
  let tallest = 0;
  columns.forEach((kinds, column) => {
    const nodes = graph.nodes.filter(({ kind }) => kinds.includes(kind)).slice(0, perColumnMax);
    tallest = Math.max(tallest, nodes.length);
    nodes.forEach((node, i) => {
      const x = box.gapX + column * (box.width + box.gapX);
      placed.set(node.id, { node, x, y: i * (box.height + box.gapY) + 1 });
    });
  });
  const width = box.gapX + columns.length * (box.width + box.gapX);
  const height = Math.max(1, tallest) * (box.height + box.gapY) - box.gapY + 2;
  const edges = graph.edges.flatMap((edge) => {
    const [made, from] = [placed.get(edge.from), placed.get(edge.to)];
    return made === undefined || from === undefined ? [] : [line(from, made)];
  });
  return html`<h2 id="lineage">${title}</h2>
    <div class="scroll">
      <svg
        viewBox="0 0 ${width} ${height}"
        width="${width}"
        role="img"
        aria-label="lineage, from sources on the left to what serves on the right"
      >
        ${edges} ${[...placed.values()].map(({ node, x, y }) => nodeBox(node, x, y))}
      </svg>
    </div>`;
}

interface Place {
  readonly x: number;
  readonly y: number;
}

function line(from: Place, to: Place): Markup {
  const [y1, y2] = [from.y + box.height / 2, to.y + box.height / 2];
  const x1 = to.x > from.x ? from.x + box.width : from.x;
  const x2 = to.x < from.x ? to.x + box.width : to.x;
  // Within a column a line goes around the boxes, on their left.
  const around = -0.8 * box.gapX;
  const [out, back] = to.x === from.x ? [around, around] : [(x2 - x1) / 2, (x1 - x2) / 2];
  const d = `M${x1},${y1} C${x1 + out},${y1} ${x2 + back},${y2} ${x2},${y2}`;
  return html`<path d="${d}" fill="none" stroke="var(--line)" stroke-width="1.5" />`;
}

function nodeBox(node: LineageNode, x: number, y: number): Markup {
  const label = node.label.length > 24 ? `${node.label.slice(0, 23)}…` : node.label;
  const facts = Object.entries(node.facts)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
  return html`<g
    ><title>${node.kind} ${node.label} ${facts}</title
    ><rect
      x="${x}"
      y="${y}"
      width="${box.width}"
      height="${box.height}"
      rx="6"
      fill="var(--panel)"
      stroke="var(--line)"
    /><text class="faint" x="${x + 8}" y="${y + 15}">${node.kind}</text
    ><text x="${x + 8}" y="${y + 31}">${label}</text></g
  >`;
}
