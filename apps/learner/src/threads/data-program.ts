/** The program of the data thread: reads a dataset's Parquet files, transforms rows and cuts batches. */
import { openDuckdb } from "@heddle/feature-engine";
import { openObjects } from "@heddle/objects";
import { datasetReader } from "../data/reader.ts";
import type { DataOptions } from "./data-thread.ts";
import { threadOptions } from "./serve.ts";
import { serveData } from "./serve-data.ts";

const open = async () => {
  const { objects: place, readerMemoryBytesMax: memoryBytesMax } = threadOptions<DataOptions>();
  const objects = await openObjects(place);
  const db = await openDuckdb({ threads: 1, memoryBytesMax, tempFolder: "" });
  return {
    reader: (columns: Parameters<typeof datasetReader>[2]) => datasetReader(objects, db, columns),
    [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
  };
};

serveData(open());
