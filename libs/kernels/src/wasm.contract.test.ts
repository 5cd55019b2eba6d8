import { tableContract } from "./contract.ts";
import { createTable } from "./table.ts";

tableContract("wasm", createTable);
