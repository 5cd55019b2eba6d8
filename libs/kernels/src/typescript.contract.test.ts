import { tableContract } from "./contract.ts";
import { createTypeScriptTable } from "./fixtures/typescript-table.ts";

tableContract("typescript", createTypeScriptTable);
