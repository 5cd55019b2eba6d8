import type { AuditedSetting, SpeedAudit } from "@heddle/learner";
import { intervalText } from "../interval.ts";
import { table } from "../../output/table.ts";
import { boundText, settingText } from "./setting.ts";

/** The audit for people: what was compared, and what it means in words. */
export function speedAuditText(audit: SpeedAudit): string {
  const rows = audit.settings.map((setting) => [
    String(setting.inFlight),
    boundText(setting),
    setting.meanStaleness?.toFixed(1) ?? "",
    setting.quality?.logLoss?.value.toFixed(4) ?? "",
    intervalText(setting.quality?.logLossRise),
    setting.quality?.auc?.value.toFixed(4) ?? "",
    intervalText(setting.quality?.aucDrop),
    setting.verdict.replace("-", " "),
  ]);
  const columns = [
    { header: "in flight", align: "right" },
    { header: "staleness ≤", align: "right" },
    { header: "mean", align: "right" },
    { header: "log loss", align: "right" },
    { header: "rise (95 %)" },
    { header: "AUC", align: "right" },
    { header: "drop (95 %)" },
    { header: "verdict" },
  ] as const;
  return [table(columns, rows), "", ...words(audit)].join("\n");
}

/** Whether the model is trained too fast, and how far it could go. */
function words({ model, own, tooFast, settings, tolerance, heldOutRows }: SpeedAudit): string[] {
  const speed = settingText(own);
  const measured = `${heldOutRows} held-out rows, against one update at a time`;
  const first = {
    yes: `Model ${model} is trained too fast: with ${speed}, ${costText(own)} (${measured}).`,
    no: `Model ${model} is not trained too fast: with ${speed}, neither log loss nor AUC is worse by more than ${tolerance} (${measured}).`,
    unclear: `Whether model ${model} is trained too fast with ${speed} cannot be told from ${measured}: use a larger dataset, or accept a larger --tolerance.`,
  }[tooFast];
  const good = settings.filter(({ verdict }) => verdict === "as-good" || verdict === "baseline");
  const most = good.at(-1);
  const bad = settings.filter(({ verdict }) => verdict === "worse" || verdict === "diverged");
  const list = bad.map((setting) => `${setting.inFlight} (≤ ${boundText(setting)})`).join(", ");
  const bounds = own.rowAge === undefined ? "" : "rowAge, ";
  return [
    first,
    `Of what was tried, ${settingText(most ?? { inFlight: 1, staleness: 0 })} is the most that holds.`,
    ...(bad.length === 0 ? [] : [`Too fast: ${list}.`]),
    ...(tooFast === "yes"
      ? [`Lower training.mode.${bounds}inFlight and staleness (or lag), or the learning rates.`]
      : []),
  ];
}

function costText({ verdict, quality }: AuditedSetting): string {
  if (verdict === "diverged") return "it diverges";
  const rise = intervalText(quality?.logLossRise);
  return `log loss rises by ${rise} and AUC drops by ${intervalText(quality?.aucDrop)}`;
}
