import type { AuditedSize, BatchSizeAudit, Spread } from "@heddle/learner";
import { intervalText } from "../interval.ts";
import { bytes, count } from "../../output/numbers.ts";
import { table } from "../../output/table.ts";

/** The audit for people: what was compared, what is chosen, and why. */
export function batchAuditText(audit: BatchSizeAudit): string {
  const rows = audit.sizes.map((size) => [
    count(size.batchSize),
    size.steps === undefined ? "" : count(size.steps),
    spreadText(size.perSecond),
    spreadText(size.perCpuSecond),
    size.residentBytes === undefined ? "" : bytes(size.residentBytes),
    size.quality?.logLoss?.value.toFixed(4) ?? "",
    intervalText(size.quality?.logLossRise),
    intervalText(size.quality?.aucDrop),
    size.verdict.replace("-", " "),
  ]);
  const columns = [
    { header: "batch", align: "right" },
    { header: "steps", align: "right" },
    { header: "examples/s (lowest–highest)" },
    { header: "per CPU-second (lowest–highest)" },
    { header: "memory", align: "right" },
    { header: "log loss", align: "right" },
    { header: "rise (95 %)" },
    { header: "AUC drop (95 %)" },
    { header: "verdict" },
  ] as const;
  return [table(columns, rows), "", ...words(audit)].join("\n");
}

const ratesText = {
  keep: "Every size was trained with the definition's learning rates as they are.",
  linear: "The definition's learning rates were multiplied by size / own size.",
  root: "The definition's learning rates were multiplied by the root of size / own size.",
};

function words(audit: BatchSizeAudit): string[] {
  const { own, sizes, chosen, change, trainedRows, heldOutRows, notTried, rates } = audit;
  const better = sizes.filter(({ quality }) => (quality?.logLossRise?.high ?? 0) < 0);
  return [
    `${choice(audit)} Quality is that of ${count(heldOutRows)} held-out rows after the same ${count(trainedRows)}, against ${count(own)}.`,
    ratesText[rates],
    ...better.map(
      ({ batchSize, quality }) =>
        `Batches of ${count(batchSize)} learn more from the same rows: log loss falls by ${(-(quality?.logLossRise?.value ?? 0)).toFixed(4)}.`,
    ),
    ...notTried.map(({ batchSize, why }) => `${count(batchSize)} was not tried: ${why}.`),
    ...(chosen === own
      ? []
      : ["", "In the definition, which is another configuration then:", changeText(change)]),
  ];
}

function choice({ model, own, chosen, sizes, within, per, tolerance }: BatchSizeAudit): string {
  const unit = per === "second" ? "examples/s" : "examples per CPU-second";
  const speed = (size: AuditedSize | undefined): number =>
    (per === "second" ? size?.perSecond : size?.perCpuSecond)?.value ?? NaN;
  const of = (batchSize: number): number =>
    speed(sizes.find((size) => size.batchSize === batchSize));
  const why = `the smallest within ${Number((within * 100).toFixed(1))} % of the most ${unit} among sizes whose log loss and AUC are not worse by more than ${tolerance}`;
  if (chosen === own) return `Keep batches of ${count(own)} for model ${model}: ${why}.`;
  const gain = (of(chosen) / of(own)).toFixed(2);
  return `Choose batches of ${count(chosen)} for model ${model}: ${why}; ${gain} times the ${unit} of ${count(own)}.`;
}

const changeText = (change: BatchSizeAudit["change"]): string =>
  Object.entries(change)
    .map(([key, value]) => `  ${key}: ${JSON.stringify(value)},`)
    .join("\n");

const spreadText = (spread: Spread | undefined): string => {
  if (spread === undefined) return "";
  const [value, low, high] = [spread.value, spread.low, spread.high].map((x) =>
    count(Math.round(x)),
  );
  return `${value} (${low}–${high})`;
};
