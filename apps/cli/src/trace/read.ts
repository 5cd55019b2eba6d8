import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SpanLine } from "@heddle/telemetry";

export interface SpanNode extends SpanLine {
  readonly children: SpanNode[];
}

export interface Trace {
  readonly traceId: string;
  /** Spans whose parent was lost with a killed process are roots, too. */
  readonly roots: readonly SpanNode[];
}

/** Traces of one answer: a dataset of many files has as many ingestions behind it. */
const tracesMax = 50;

/**
 * A trace as the processes of a state folder wrote it, and behind it those that its spans link to: what led to it at other times, the
 * nearest first. Empty when there are no spans of it.
 */
export function readTraces(state: string, traceId: string): readonly Trace[] {
  const found: Trace[] = [];
  const asked = new Set([traceId]);
  for (let next = [traceId]; next.length > 0;) {
    const traces = readAll(state, new Set(next));
    found.push(...traces);
    const linked = traces.flatMap(({ roots }) => roots.flatMap(linksOf));
    next = [...new Set(linked)].filter((id) => !asked.has(id)).slice(0, tracesMax - asked.size);
    for (const id of next) asked.add(id);
  }
  return found;
}

function linksOf(node: SpanNode): string[] {
  return [...(node.links ?? []).map((link) => link.traceId), ...node.children.flatMap(linksOf)];
}

/** @returns those that have spans, in the given order. */
function readAll(state: string, traceIds: ReadonlySet<string>): Trace[] {
  const nodes = new Map<string, SpanNode>();
  for (const line of linesOf(join(state, "telemetry"))) {
    // The id comes first in a line, so most are passed over without being parsed.
    const id = /^\{"traceId":"([0-9a-f]{32})"/.exec(line)?.[1];
    if (id === undefined || !traceIds.has(id)) continue;
    const span = parse(line);
    if (span !== undefined) nodes.set(span.spanId, { ...span, children: [] });
  }
  const roots: SpanNode[] = [];
  for (const node of [...nodes.values()].sort((a, b) => a.startUs - b.startUs)) {
    const parent = nodes.get(node.parentSpanId);
    if (parent === undefined) roots.push(node);
    else parent.children.push(node);
  }
  const byTrace = Map.groupBy(roots, (root) => root.traceId);
  return [...traceIds].flatMap((traceId) => {
    const own = byTrace.get(traceId);
    return own === undefined ? [] : [{ traceId, roots: own }];
  });
}

function* linesOf(folder: string): Iterable<string> {
  // Where a collector gets the spans there may be none.
  if (!existsSync(folder)) return;
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
