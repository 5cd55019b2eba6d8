import { shortName } from "@heddle/base";
import type { LogRange, SegmentOrigin } from "@heddle/proto/common";
import type { GetOriginResponse, Snapshot } from "@heddle/proto/registry";
import { traceIdOf } from "@heddle/telemetry";
import { count } from "../output/numbers.ts";
import { table } from "../output/table.ts";

/** Segments that people read through; --json has all. */
const segmentsShownMax = 20;

/** A version's origin for people: one line a fact, then the segments, the newest last. */
export function originText({ version, snapshot, segments }: GetOriginResponse): string {
  if (version === undefined) return "nothing is known of it";
  const { model, number, run, recipe, training, traceparent } = version;
  const parent = recipe?.parentVersion ?? "";
  const facts: readonly (readonly [string, string])[] = [
    ["version", `${version.version} (${model} ${number})`],
    ["run", run],
    ["snapshot", snapshot === undefined ? "none" : `step ${snapshot.step}, ${nameOf(snapshot)}`],
    ["dataset", recipe?.dataset ?? ""],
    ["started from", parent === "" ? "nothing" : `version ${parent}`],
    ["of the log", offsetsOf(training?.log ?? []) || "nothing"],
    ["trace", traceIdOf(traceparent) || "none"],
  ];
  const lines = facts.map(([name, value]) => `${name.padEnd(12)}  ${value}`);
  const shown = segments.slice(-segmentsShownMax);
  const left = segments.length - shown.length;
  const more = left === 0 ? [] : [`and ${count(left)} older segments`];
  return [...lines, "", segmentTable(shown), ...more].join("\n");
}

function segmentTable(segments: readonly SegmentOrigin[]): string {
  return table(
    [
      ...[{ header: "source" }, { header: "segment" }, { header: "from" }],
      { header: "events", align: "right" as const },
      ...[{ header: "offsets of the log" }, { header: "trace" }],
    ],
    segments.map(({ source, rowHash, fileName, events, log, traceparent }) => [
      ...[source, shortName(rowHash), fileName, count(events)],
      ...[offsetsOf(log), traceIdOf(traceparent)],
    ]),
  );
}

/** `heddle.ingest.clicks.v1 0: 400–800`. */
function offsetsOf(log: readonly LogRange[]): string {
  const ranges = log.map(
    ({ partition, fromOffset, toOffset }) => `${partition}: ${fromOffset}–${toOffset}`,
  );
  return log[0] === undefined ? "" : `${log[0].topic} ${ranges.join(", ")}`;
}

const nameOf = ({ manifest }: Snapshot): string => manifest?.name ?? "";
