import { wireContract } from "./contract.ts";
import { openLaneWire } from "./lane-wire.ts";
import { cachedRowsContract } from "./cached-rows-contract.ts";
import { rowFormatContract } from "./row-format-contract.ts";

wireContract("lane", openLaneWire);
rowFormatContract("lane", openLaneWire);
cachedRowsContract("lane", openLaneWire);
