import { tableContract } from "./contract.ts";
import { createSplitTable } from "./table/split/split-table.ts";
import { createTable } from "./table/table.ts";
import { createPart } from "./table/create-part.ts";

tableContract("wasm", createTable);
tableContract("wasm in three instances", (spec) =>
  createSplitTable([0, 1, 2].map(() => createPart(spec))),
);
