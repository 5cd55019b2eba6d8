import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SpanLine } from "@heddle/telemetry";

export interface SpanNode extends SpanLine {
  readonly children: SpanNode[];
}

/** All spans of a trace that the processes of a state folder wrote, as trees; spans whose parent was lost with a killed process become roots. */
export function readTrace(state: string, traceId: string): SpanNode[] {
  const nodes = new Map<string, SpanNode>();
  for (const line of linesOf(join(state, "telemetry"))) {
    if (!line.includes(traceId)) continue;
    const span = parse(line);
    if (span?.traceId === traceId) nodes.set(span.spanId, { ...span, children: [] });
  }
  const roots: SpanNode[] = [];
  for (const node of [...nodes.values()].sort((a, b) => a.startUs - b.startUs)) {
    const parent = nodes.get(node.parentSpanId);
    if (parent === undefined) roots.push(node);
    else parent.children.push(node);
  }
  return roots;
}

function* linesOf(folder: string): Iterable<string> {
  for (const file of readdirSync(folder)) {
    if (file.startsWith("spans-")) yield* readFileSync(join(folder, file), "utf8").split("\n");
  }
}

/** A line cut short by a kill is left out. */
function parse(line: string): SpanLine | undefined {
  try {
    return JSON.parse(line) as SpanLine;
  } catch {
    return undefined;
  }
}
