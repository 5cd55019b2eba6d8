import type { ExampleBatch } from "@heddle/transform";
import type { DatasetPart, ExampleReader, GrantedDataset } from "./reader.ts";
import { featuresOf, scoreRows, type Scores } from "./scores.ts";
import type { Slicer } from "./slices.ts";
import type { Rivals } from "./rivals.ts";

/** Reads and scores a part of a dataset piece by piece; what is done with a piece is the caller's. */
export type ScorePart = (
  dataset: GrantedDataset,
  part: DatasetPart,
  use: (batch: ExampleBatch, scores: Scores) => void,
) => Promise<void>;

/** @param scored hears how many rows each piece had; what it throws ends the pass. */
export function openPass(
  reader: Pick<ExampleReader, "read">,
  rivals: Rivals,
  slicers: readonly Slicer[],
  scored: (rows: number) => void,
): ScorePart {
  const features = [...featuresOf(rivals), ...slicers.flatMap((slicer) => slicer.features)];
  return async (dataset, part, use) => {
    for await (const batch of reader.read(dataset, part, features)) {
      use(batch, await scoreRows(rivals, batch));
      scored(batch.rows);
    }
  };
}
