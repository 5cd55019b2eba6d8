import { shortName } from "@heddle/base";
import type { TransferSummary } from "@heddle/proto/registry";

/** The part of a training's summary that it is said from. */
interface Transferred {
  readonly transfer?: Omit<TransferSummary, "$typeName" | "$unknown"> | undefined;
}

/** What a training took over from another model and what it left as it was; undefined where neither. */
export function transferLine(training: Transferred | undefined): string | undefined {
  if (training?.transfer === undefined) return undefined;
  const { from, tables, dense, frozen } = training.transfer;
  const taken = [...tables, ...dense];
  const parts = [
    ...(taken.length === 0
      ? []
      : [`started from version ${shortName(from)} with its ${taken.join(", ")}`]),
    ...(frozen.length === 0 ? [] : [`did not train ${frozen.join(", ")}`]),
  ];
  return parts.length === 0 ? undefined : parts.join("; ");
}
