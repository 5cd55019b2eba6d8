import type { GetStreamResponse } from "@heddle/proto/feature-store";
import { count } from "../output/numbers.ts";
import { table } from "../output/table.ts";
import type { Outcome } from "../pipeline/outcome.ts";
import type { Lag } from "./follow.ts";

/** A source's stream for people. */
export function streamText(stream: GetStreamResponse) {
  const { topic, windows, partitions, refused, refusedExample, problem } = stream;
  const refusals = Object.entries(refused).map(([why, n]) => `${count(n)} ${why}`);
  return [
    `${topic}: ${windows} windows cut`,
    table(
      [
        { header: "partition", align: "right" },
        { header: "log begins", align: "right" },
        { header: "cut up to", align: "right" },
        { header: "log ends", align: "right" },
        { header: "wait", align: "right" },
      ],
      partitions.map(({ partition, startOffset, cutOffset, endOffset }) =>
        [partition, startOffset, cutOffset, endOffset, endOffset - cutOffset].map((n) => count(n)),
      ),
    ),
    ...(refusals.length === 0 ? [] : [`left out: ${refusals.join(", ")} (${topic}.dead-letter)`]),
    ...(refusedExample === "" ? [] : [`one of them: ${refusedExample}`]),
    ...(problem === "" ? [] : [`stopped: ${problem}`]),
  ].join("\n");
}

/** One version that learnt from the log, in a line. */
export function learntText({ run, version, verdict, serving }: Outcome, { events, seconds }: Lag) {
  const ranges = version?.training?.log.map(
    ({ partition, fromOffset, toOffset }) => `${partition}: ${fromOffset}–${toOffset}`,
  );
  const number = version === undefined ? "" : `v${version.number}`;
  const serves = serving !== undefined && serving.version === version?.version;
  return `${run.pipelineRun}  ${number} learnt offsets ${ranges?.join(", ")}; gate: ${verdict}${serves ? ", serves" : ""}; ${count(events)} events and ${count(Math.round(seconds))} s behind`;
}
