import { tableContract } from "./contract.ts";
import { createSplitTable } from "./split-table.ts";
import { createTable } from "./table.ts";
import { createPart } from "./create-part.ts";

tableContract("wasm", createTable);
tableContract("wasm in three instances", (spec) =>
  createSplitTable([0, 1, 2].map(() => createPart(spec))),
);
